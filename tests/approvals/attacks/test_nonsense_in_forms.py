"""Forms and links of nonsense: told in words with a 400, on either database, and nothing is decided or broken."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from approvals.models import Action, PolicyVersion
from approvals.services.glass import break_glass
from tests.approvals.asking import ask_for, shown
from tests.approvals.pages.reading import ended
from tests.approvals.pages.test_desk import form
from tests.cast import PASSWORD, AgentCaller

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("whole_chain")]

NOTES = {"nul": "a\0b", "too long": "x" * 2001}


@pytest.mark.parametrize("path", ["decide", "break-glass"])
@pytest.mark.parametrize(
    "nonsense",
    [
        *({"note": note} for note in NOTES.values()),
        {"version": "9" * 5000},
        {"version": "-1"},
        {"version": "1.0"},
        {"version": "²"},
        {"version": ""},
    ],
    ids=["nul", "long note", "long number", "negative", "fraction", "superscript", "nothing"],
)
def test_a_verdict_of_nonsense(agent: AgentCaller, admin: User, sign_in: Any, path: str, nonsense: dict[str, str]):
    action = ask_for(agent)
    sent = {**form(action, note="now", password=PASSWORD), **nonsense}
    assert sign_in(admin).post(f"/approvals/{action.id}/{path}", sent).status_code == 400
    assert Action.objects.get().status == "pending"


@pytest.mark.parametrize("verdict", ["", "maybe", "APPROVE", "approve\0"])
def test_a_verdict_that_is_none(agent: AgentCaller, operator: User, sign_in: Any, verdict: str):
    action = ask_for(agent)
    assert sign_in(operator).post(f"/approvals/{action.id}/decide", form(action, verdict=verdict)).status_code == 400
    assert Action.objects.get().status == "pending"


def test_a_note_of_as_many_lines_as_the_form_takes(agent: AgentCaller, operator: User, sign_in: Any):
    action = ask_for(agent)
    sent = form(action, note="x\r\n" * 999 + "xy")
    assert sign_in(operator).post(f"/approvals/{action.id}/decide", sent).status_code == 302


@pytest.mark.parametrize("note", NOTES.values(), ids=NOTES)
def test_a_review_and_a_finding_of_nonsense(agent: AgentCaller, admin: User, operator: User, sign_in: Any, note: str):
    unknown, broken = ended("unknown", agent, operator), ask_for(agent)
    break_glass(person=admin, action_id=broken.id, reason="now", shown=shown(broken), is_fresh_login=True)
    client = sign_in(operator)
    for path in (f"{unknown.id}/reconcile", f"{broken.id}/review"):
        assert client.post(f"/approvals/{path}", {"note": note, "found": "failed"}).status_code == 400


@pytest.mark.parametrize(
    ("nonsense", "status"),
    [
        ({"base": "9" * 5000}, 409),
        ({"comment": "a\0b"}, 400),
        ({"rules": "[" * 100_000}, 400),
        ({"rules": '[{"name": "a\\u0000", "answer": "deny"}]'}, 400),
        ({"rules": '[{"name": "a", "answer": "deny", "approvals": 1e400}]'}, 400),
        ({"rules": '[{"name": "a", "answer": "deny", "approvals": ' + "9" * 5000 + "}]"}, 400),
    ],
    ids=["long number", "nul", "deep", "nul in a rule", "infinity", "long number in a rule"],
)
def test_a_policy_of_nonsense(admin: User, sign_in: Any, nonsense: dict[str, str], status: int):
    sent = {
        "rules": '[{"name": "any", "answer": "allow"}]',
        "base": "0",
        "do": "save",
        "password": PASSWORD,
        **nonsense,
    }
    assert sign_in(admin).post("/approvals/policy/", sent).status_code == status
    assert not PolicyVersion.objects.exists()


@pytest.mark.parametrize("name", ["environment", "agent", "name"])
def test_names_of_nonsense(agent: AgentCaller, admin: User, sign_in: Any, name: str):
    client, sent = sign_in(admin), {"environment": "dev", "agent": "triage", "name": "ci", name: "a\0b"}
    assert client.post("/agents/provisioners/", sent).status_code == 400
    if name != "name":
        assert client.post("/approvals/delegations", sent).status_code == 400


@pytest.mark.parametrize(
    "link",
    [
        "?after=0001-01-01T00:00:00%2B23:59_{id}", "?after=9999-12-31T23:59:59-23:59_{id}", "?after=2026-01-01_{id}",
        "decided/?before=0001-01-01T00:00:00_{id}", "decided/?before=9999-12-31T23:59:59-23:59_{id}", "?environment=%00",
        "decided/?q=%00%ff", "policy/?version=" + "9" * 5000, "policy/?version=%00",
    ],
)  # fmt: skip
def test_a_link_of_nonsense(agent: AgentCaller, admin: User, sign_in: Any, link: str):
    assert sign_in(admin).get("/approvals/" + link.format(id=ask_for(agent).id)).status_code == 200
