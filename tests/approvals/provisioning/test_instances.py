"""`/v1/instances`: made once per key, changed once per key, retired whole; nobody else's."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from agentapprovalprotocol.receiver import new_secret
from django.utils import timezone

from approvals.models import Action, AuditEntry, Notification, ProvisionedInstance, Provisioner, WebhookReceiver
from approvals.services import provisioning
from approvals.services.provisioners import issue_provisioner, revoke_provisioner
from approvals.services.provisioning import KEPT_FOR, forget_old_results
from runs.models import AgentInstance
from runs.services.credentials import rotate_credential
from tests.approvals.provisioning.conftest import Caller, code
from tests.cast import AgentCaller

pytestmark = pytest.mark.django_db


def test_an_instance_and_a_credential_that_works(provisioner: Caller):
    made = provisioner.make(instance_name="Laptop of Chris")
    assert made.status_code == 201
    assert set(made.json()) == {"instance", "credential"}
    assert set(made.json()["instance"]) == {"id", "name"}
    assert made.json()["instance"]["name"] == "Laptop of Chris"
    assert set(made.json()["credential"]) == {"token"}
    assert Caller(made.json()["credential"]["token"]).ask().status_code == 201
    assert provisioner.read(made.json()["instance"]["id"]).json() == made.json()["instance"]


def test_the_same_again_is_the_same_instance_and_credential(provisioner: Caller):
    first, again = provisioner.make(key="k" * 255), provisioner.make(key="k" * 255)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert AgentInstance.objects.count() == 1
    assert code(provisioner.make(key="k" * 255, instance_name="other")) == (409, "idempotency_conflict")


def test_names_may_be_the_same_and_of_any_script(provisioner: Caller):
    names = ["box", "box", "ラップトップ", "..", "x" * 200]
    made = [provisioner.make(key=str(number), instance_name=name) for number, name in enumerate(names)]
    assert [response.json()["instance"]["name"] for response in made] == names
    assert len(set(AgentInstance.objects.values_list("name", flat=True))) == len(names)


def test_after_a_week_the_credential_is_nowhere(provisioner: Caller):
    provisioner.make()
    assert forget_old_results() == 0
    with time_machine.travel(timezone.now() + KEPT_FOR + timedelta(seconds=1), tick=False):
        assert forget_old_results() == 1
    assert ProvisionedInstance.objects.get().sealed_result == ""
    assert code(provisioner.make()) == (409, "idempotency_conflict")


def test_what_is_kept_for_a_retry_can_t_be_read(provisioner: Caller):
    token = provisioner.make().json()["credential"]["token"]
    assert token not in ProvisionedInstance.objects.get().sealed_result
    assert not AuditEntry.objects.filter(data__contains=token).exists()


HOOK = {
    "type": "webhook", "url": "https://hook.example/x", "registration_id": str(uuid4()), "signing_secret": new_secret(),
}  # fmt: skip


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"instance_name": ""}, "invalid_request"),
        ({"instance_name": None}, "invalid_request"),
        ({"instance_name": "a\0b"}, "invalid_request"),
        ({"instance_name": "\u202etxt.exe"}, "invalid_request"),
        ({"name": "x"}, "invalid_request"),
        ({"delivery": None}, "invalid_request"),
        ({"delivery": {}}, "invalid_request"),
        ({"delivery": {**HOOK, "type": "socket"}}, "unsupported_delivery_type"),
        ({"delivery": {**HOOK, "secret": "x"}}, "invalid_request"),
        ({"delivery": {**HOOK, "signing_secret": "whsec_c2hvcnQ="}}, "invalid_request"),
        ({"delivery": {**HOOK, "registration_id": "7"}}, "invalid_request"),
        ({"delivery": {**HOOK, "url": "http://hook.example/x"}}, "invalid_webhook_url"),
        ({"delivery": {**HOOK, "url": "https://user:pw@hook.example/x"}}, "invalid_webhook_url"),
        ({"delivery": {**HOOK, "url": "https://hook.example/#x"}}, "invalid_webhook_url"),
        ({"delivery": {**HOOK, "url": "https://[hook/"}}, "invalid_webhook_url"),
        ({"delivery": {**HOOK, "url": "https://a\x7fb.example/"}}, "invalid_webhook_url"),
        ({"delivery": {**HOOK, "url": "https://127.0.0.1/x"}}, "invalid_webhook_url"),
        ({"delivery": {**HOOK, "url": "https://169.254.169.254/latest"}}, "invalid_webhook_url"),
        ({"delivery": {**HOOK, "url": "https://2130706433/"}}, "invalid_webhook_url"),
        ({"delivery": {**HOOK, "url": "https://[::ffff:10.0.0.1]/"}}, "invalid_webhook_url"),
    ],
)
def test_what_is_refused_makes_nothing(provisioner: Caller, body: dict[str, Any], expected: str):
    assert code(provisioner.make(**body)) == (400, expected)
    assert not AgentInstance.objects.exists()


def test_a_key_is_needed_to_make_and_to_change(provisioner: Caller):
    made = provisioner.make().json()["instance"]["id"]
    assert code(provisioner.make(key="")) == (400, "missing_idempotency_key")
    assert code(provisioner.change(made, key="", instance_name="x")) == (400, "missing_idempotency_key")
    assert code(provisioner.change(made)) == (400, "invalid_request")


def test_a_name_that_leads_inside_is_told_without_its_path(provisioner: Caller, logged: Any):
    provisioner.make(delivery={**HOOK, "url": "https://127.0.0.1/x?token=hidden"})
    (line,) = logged("WEBHOOK_REFUSED_ADDRESS")
    assert line["host"] == "127.0.0.1"
    assert "hidden" not in str(line)


def test_a_change_is_applied_once_however_often_it_is_sent(provisioner: Caller):
    made = provisioner.make().json()["instance"]["id"]
    first = provisioner.change(made, key="one", instance_name="first")
    provisioner.change(made, key="two", instance_name="second")
    again = provisioner.change(made, key="one", instance_name="first")
    assert (again.status_code, again.json()) == (200, first.json())
    assert provisioner.read(made).json()["name"] == "second"
    assert code(provisioner.change(made, key="one", instance_name="third")) == (409, "idempotency_conflict")


def test_a_retired_instance_is_gone_for_every_call_but_another_deletion(provisioner: Caller):
    body = provisioner.make().json()
    made, instance = body["instance"]["id"], Caller(body["credential"]["token"])
    asked = instance.ask().json()["id"]
    provisioner.change(made, instance_name="x")
    assert [provisioner.delete(made).status_code for _ in range(2)] == [204, 204]
    assert provisioner.read(made).status_code == 404
    assert provisioner.change(made, instance_name="x").status_code == 404
    assert code(provisioner.make()) == (409, "instance_deleted")
    assert instance.ask(key="b").status_code == 401
    assert Action.objects.get(id=asked).status == "cancelled"
    assert not Notification.objects.exists()


def test_deletion_also_ends_what_a_rotation_put_in_its_place(provisioner: Caller):
    made = provisioner.make().json()["instance"]["id"]
    fresh = Caller(rotate_credential(actor="ada", instance_id=AgentInstance.objects.get().id).token)
    asked = fresh.ask().json()["id"]
    provisioner.delete(made)
    assert fresh.ask(key="b").status_code == 401
    assert Action.objects.get(id=asked).status == "cancelled"


def test_another_agents_provisioner_finds_nothing(provisioner: Caller, environments: None):
    made = provisioner.make().json()["instance"]["id"]
    other = Caller(issue_provisioner(actor="person:ada", environment="prod", agent="bot", name="ci").token)
    for instance_id in (made, str(uuid4()), "7"):
        told = [other.read(instance_id), other.change(instance_id, instance_name="x"), other.delete(instance_id)]
        assert {code(response) for response in told} == {(404, "not_found")}
    assert provisioner.read(made).status_code == 200


def test_each_kind_of_token_opens_only_its_own_doors(provisioner: Caller, agent: AgentCaller):
    made = provisioner.make().json()["instance"]["id"]
    instance = Caller(agent.token)
    told = [instance.make(), instance.read(made), instance.change(made, instance_name="x"), instance.delete(made)]
    assert {response.status_code for response in told} == {403}
    assert provisioner.ask().status_code == 403
    assert Caller("acp_unknown").make().status_code == 401


def test_a_revoked_or_expired_token_opens_nothing(provisioner: Caller, ci: Provisioner):
    made = provisioner.make().json()["instance"]["id"]
    later = timezone.now() + timedelta(hours=1)
    brief = issue_provisioner(actor="a", environment="dev", agent="bot", name="brief", expires_at=later)
    with time_machine.travel(later, tick=False):
        assert Caller(brief.token).read(made).status_code == 401
    revoke_provisioner(actor="person:ada", provisioner_id=ci.id)
    assert {provisioner.read(made).status_code, provisioner.delete(made).status_code} == {401}


def test_a_token_that_is_revoked_while_the_receiver_thinks_makes_nothing(
    provisioner: Caller, ci: Provisioner, monkeypatch: pytest.MonkeyPatch
):
    def slow(*_args: Any) -> None:
        revoke_provisioner(actor="person:ada", provisioner_id=ci.id)

    monkeypatch.setattr(provisioning, "verify_receiver", slow)
    assert provisioner.make(delivery=HOOK).status_code == 401
    assert not AgentInstance.objects.exists()
    assert not WebhookReceiver.objects.exists()


def test_too_many_calls_are_told_when_to_come_back(provisioner: Caller, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("approvals.aap.instances.RATE", 1)
    with time_machine.travel(timezone.now(), tick=False):
        provisioner.make()
        refused = provisioner.make()
    assert code(refused) == (429, "rate_limited")
    assert int(refused.headers["Retry-After"]) >= 1


@pytest.mark.usefixtures("whole_chain")
def test_every_step_is_in_the_audit_chain(provisioner: Caller, ci: Provisioner):
    made = provisioner.make().json()["instance"]["id"]
    provisioner.change(made, instance_name="x")
    provisioner.delete(made)
    revoke_provisioner(actor="person:ada", provisioner_id=ci.id)
    tokens = list(AuditEntry.objects.order_by("seq").values_list("token", flat=True))
    assert tokens == [
        "PROVISIONER_ISSUED", "INSTANCE_PROVISIONED", "INSTANCE_UPDATED", "INSTANCE_DELETED", "PROVISIONER_REVOKED",
    ]  # fmt: skip
