"""`@guarded`: what runs is what was approved, once, or it does not run."""

import asyncio
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection

from agentconsole.sdk import (
    ApprovalDenied,
    ApprovalExpired,
    ApprovalMismatch,
    ApprovalPending,
    ApprovalUnavailable,
    Console,
    GrantRefused,
    Outcome,
    SeenGrants,
    granted,
    guarded,
    resuming,
    verify_grant,
)
from approvals.models import Action, Verdict
from approvals.services.grants import jwks
from runs.models import Run
from tests.approvals.asking import decide, person_who
from tests.cast import AgentCaller
from tests.live.test_web_processes import web_process
from tests.processes.running import wait_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


@pytest.fixture
def console(agent: AgentCaller) -> Iterator[Console]:
    """The agent's console, running."""
    with web_process() as url, Console(url, agent.token) as made:
        yield made


def test_an_approved_call_runs_once_in_its_run_and_is_reported(console: Console, operator: User):
    calls: list[Any] = []

    @guarded("service.restart", resource=lambda given: given["service"], risk="medium")
    def restart(service: str, grace_s: float = 1.0) -> str:
        allowed = granted()
        assert allowed is not None
        calls.append((service, grace_s, allowed.fingerprint))
        return "restarted"

    with person_who(operator), console.run(query="fix checkout") as run:
        envelope = run.call(restart, "checkout")
    assert (envelope.outcome, envelope.data) == (Outcome.OK, "restarted")
    action = Action.objects.get()
    assert calls == [("checkout", 1.0, action.fingerprint)]
    assert (action.lifecycle, action.operation, action.resource) == ("succeeded", "service.restart", "checkout")
    console.flush()
    assert action.run_id_claimed == Run.objects.get().id


def test_a_denied_call_does_not_run_and_says_why(console: Console, operator: User):
    @guarded("service.restart", console=console)
    def restart() -> None:
        raise AssertionError("ran")

    with person_who(operator, Verdict.DENY), pytest.raises(ApprovalDenied, match="as asked"):
        restart()


def test_an_asynchronous_tool(console: Console, operator: User):
    @guarded("service.restart", console=console)
    async def restart(service: str) -> str:
        await asyncio.sleep(0)
        return service

    with person_who(operator):
        assert asyncio.run(restart("checkout")) == "checkout"
    assert Action.objects.get().lifecycle == "succeeded"


def test_a_tool_that_breaks_is_reported_as_failed(console: Console, operator: User):
    @guarded("service.restart", console=console)
    def restart() -> None:
        raise ValueError("no pods")

    with person_who(operator), pytest.raises(ValueError, match="no pods"):
        restart()
    action = Action.objects.get()
    assert action.lifecycle == "failed"
    assert "no pods" in action.outcome_note


def test_nobody_decides_in_time(console: Console):
    @guarded("service.restart", console=console, timeout="1s")
    def restart() -> None:
        raise AssertionError("ran")

    with pytest.raises(ApprovalExpired):
        restart()


def test_a_pending_call_is_resumed_later_with_its_ticket(console: Console, operator: User):
    kept: list[ApprovalPending] = []

    @guarded("service.restart", console=console, wait_s=0, on_pending=kept.append)
    def restart(service: str, grace_s: float = 0.5) -> str:
        assert grace_s == 0.5
        return service

    with pytest.raises(ApprovalPending):
        restart("checkout")
    decide(operator, Action.objects.get())
    ticket = json.loads(json.dumps(kept[0].ticket))
    with resuming(ticket):
        assert restart(**ticket["arguments"]) == "checkout"
    assert Action.objects.count() == 1


def test_other_arguments_under_a_ticket_ask_anew(console: Console, operator: User):
    kept: list[ApprovalPending] = []

    @guarded("service.restart", console=console, wait_s=0, on_pending=kept.append)
    def restart(service: str) -> str:
        raise AssertionError("ran")

    for service in ("checkout", "payments"):
        with pytest.raises(ApprovalPending), resuming(kept[0].ticket if kept else {"key": "k", "context": {}}):
            restart(service)
        if service == "checkout":
            decide(operator, Action.objects.get())
    assert [action.status for action in Action.objects.order_by("created_at")] == ["approved", "pending"]


def test_arguments_that_change_while_it_waits_are_not_what_runs(console: Console, operator: User):
    given = {"zones": ["eu-1"]}
    ran: list[Any] = []

    @guarded("service.restart", console=console)
    def restart(options: dict[str, Any]) -> None:
        ran.append(options)

    def meddle() -> None:
        wait_for("a question", Action.objects.exists)
        given["zones"].append("us-1")
        connection.close()

    thread = threading.Thread(target=meddle)
    thread.start()
    with person_who(operator):
        restart(given)
    thread.join()
    assert ran == [{"zones": ["eu-1"]}]


@pytest.mark.parametrize("argument", [object(), {1, 2}, float("nan"), {1: 2}, b"x"])
def test_an_argument_that_nobody_could_approve(console: Console, argument: Any):
    @guarded("service.restart", console=console)
    def restart(value: Any) -> None:
        raise AssertionError("ran")

    with pytest.raises(ApprovalUnavailable, match="no JSON value"):
        restart(argument)
    assert not Action.objects.exists()


def test_no_console_no_call(monkeypatch: pytest.MonkeyPatch):
    @guarded("service.restart")
    def restart() -> None:
        raise AssertionError("ran")

    with pytest.raises(ApprovalUnavailable):
        restart()
    monkeypatch.setattr("agentconsole.sdk.boundary.PATIENCE_S", 0.3)
    away = Console("http://127.0.0.1:9", "ac_x")
    with pytest.raises(ApprovalUnavailable):
        guarded("service.restart", console=away)(lambda: None)()
    away.close(0)


def test_a_grant_opens_the_tool_server_for_this_call_alone(console: Console, operator: User, settings: Any):
    kept: list[str] = []

    @guarded("service.restart", resource="checkout", server="k8s", console=console)
    def restart(service: str) -> None:
        allowed = granted()
        assert allowed is not None
        kept.append(allowed.grant)

    with person_who(operator):
        restart("checkout")
    seen = SeenGrants()
    call = {
        "jwks": jwks(),
        "audience": "k8s",
        "issuer": settings.CONSOLE_URL,
        "tool": "restart",
        "server": "k8s",
        "operation": "service.restart",
        "resource": "checkout",
        "arguments": {"service": "checkout"},
    }
    grant = verify_grant(kept[0], **call, seen=seen)
    assert grant.fingerprint == Action.objects.get().fingerprint
    attacks: dict[str, dict[str, Any]] = {
        "wrong_action": {"arguments": {"service": "payments"}},
        "wrong_audience": {"audience": "jira"},
        "wrong_issuer": {"issuer": "https://elsewhere.example"},
        "wrong_environment": {"environment": "prod"},
        "expired": {"now": grant.expires_at + 5},
        "not_yet_valid": {"now": grant.issued_at - 60},
        "unknown_key": {"jwks": {"keys": []}},
        "replayed": {"seen": seen},
    }
    for code, change in attacks.items():
        with pytest.raises(GrantRefused) as refusal:
            verify_grant(kept[0], **{**call, **change})
        assert refusal.value.code == code


def test_a_console_that_answers_about_something_else_is_not_believed(agent: AgentCaller):
    from agentconsole.sdk.boundary import Proposal, Reply, cross

    proposal = Proposal(tool="restart", arguments={"n": 1}, timeout="1m", key="k", context={})
    course = cross(proposal)
    next(course)
    answer = b'{"id":"1","status":"approved","tool":"restart","arguments":{"n":2},"timeout":"1m","context":{}}'
    with pytest.raises(ApprovalMismatch):
        course.send(Reply(201, answer))
