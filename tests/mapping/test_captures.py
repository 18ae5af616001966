"""What a careful reader finds in each framework's export (expected.json beside the captures) is what the mapping finds."""

import json
from collections.abc import Iterable
from typing import Any

import pytest

from tests.mapping.decoding import CAPTURES, capture
from tests.mapping.told import accounts_of, placed
from traces.mapping.account import Placing, Role, SpanAccount
from traces.mapping.outcomes import with_budget

SOFT_MS = 300
EXPECTED: dict[str, Any] = json.loads((CAPTURES / "expected.json").read_text())
FOLDERS = sorted(EXPECTED)
OUTCOMES = {
    "SLOW": "slow", "EMPTY": "empty", "OK": "ok", "ERROR": "error", "AUTH_FAILURE": "auth_failed",
    "NO_RESULT": "unreported", "WAITING_APPROVAL": "waiting",
}  # fmt: skip


class Mapped:
    """A folder's spans as the mapping has them."""

    def __init__(self, folder: str) -> None:
        self.accounts = accounts_of(capture(folder).spans)
        self.placings = placed(self.accounts.values())
        self.ordered = sorted(self.accounts.values(), key=lambda one: (one.started_at, one.span_id))

    def of_kind(self, kind: str) -> list[tuple[SpanAccount, Placing]]:
        pairs = ((account, self.placings[account.span_id]) for account in self.ordered)
        return [(account, placing) for account, placing in pairs if placing.kind == kind]

    def tool_above(self, account: SpanAccount) -> str:
        above = self.accounts.get(account.parent_id)
        while above is not None and above.role not in (Role.AGENT, Role.WORKFLOW, Role.TOOL):
            above = self.accounts.get(above.parent_id)
        return above.name if above is not None and above.role == Role.TOOL else ""


@pytest.fixture(params=FOLDERS)
def folder(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def mapped(folder: str) -> Mapped:
    return Mapped(folder)


def first_told(accounts: Iterable[SpanAccount], fact: str) -> str:
    """The root's word before agents' before any other's, the earlier span's first."""
    agents = (Role.AGENT, Role.WORKFLOW)
    ranked = sorted(accounts, key=lambda one: (bool(one.parent_id), one.role not in agents, one.started_at))
    return next((value for one in ranked if (value := getattr(one.run, fact))), "None")


@pytest.mark.parametrize(
    ("fact", "expected"), [("request_id", "request_id"), ("session_id", "session"), ("user", "user")]
)
def test_the_run_s_facts_are_found(folder: str, mapped: Mapped, fact: str, expected: str) -> None:
    assert [first_told(mapped.accounts.values(), fact)] == EXPECTED[folder][expected]


def test_roots_and_notices_of_spans_that_began_are_told_apart(folder: str, mapped: Mapped) -> None:
    notices = len(capture(folder).spans) - len(mapped.accounts)
    assert sum(not account.parent_id for account in mapped.ordered) == EXPECTED[folder]["roots"]
    assert notices == EXPECTED[folder]["pending_spans"]


def test_agents_stand_where_they_belong(folder: str, mapped: Mapped) -> None:
    agents = [one for one in mapped.ordered if one.role == Role.AGENT and not mapped.placings[one.span_id].one_with]
    found = {(one.name, f"sub of tool {tool}" if (tool := mapped.tool_above(one)) else "top/peer") for one in agents}
    assert found == {tuple(agent) for agent in EXPECTED[folder]["agents"]}


def test_a_sub_agent_of_a_tool_is_shown_as_one(folder: str, mapped: Mapped) -> None:
    shown = {account.name for account, _placing in mapped.of_kind("subagent") if mapped.tool_above(account)}
    assert shown == {name for name, place in EXPECTED[folder]["agents"] if place.startswith("sub of tool")}


def expected_calls(folder: str) -> list[dict[str, Any]]:
    """Claude Code's in-process MCP server tells each call a second time: one call is one row, so these are not expected."""
    calls: list[dict[str, Any]] = EXPECTED[folder]["tool_calls"]
    return [call for call in calls if folder != "claude_agent_sdk" or call["call_id"]]


def test_each_tool_call_is_one_row_with_its_outcome(folder: str, mapped: Mapped) -> None:
    found = [
        (account.name, with_budget(placing.outcome, _elapsed_ms(account), SOFT_MS))
        for account, placing in mapped.of_kind("tool")
    ]
    assert found == [(call["name"], OUTCOMES[call["outcome"]]) for call in expected_calls(folder)]


def _elapsed_ms(account: SpanAccount) -> float:
    assert account.ended_at is not None
    return (account.ended_at - account.started_at).total_seconds() * 1000


def test_call_ids_are_found_also_where_the_tool_does_not_tell_them(folder: str, mapped: Mapped) -> None:
    for (account, placing), call in zip(mapped.of_kind("tool"), expected_calls(folder), strict=True):
        if call["call_id"]:
            assert (placing.call_id or account.call_id) == call["call_id"]
        elif folder == "openinference_openai_agents":  # better than expected: the model's calls have them
            assert placing.call_id.startswith("call_")


def test_arguments_are_told_and_whole(folder: str, mapped: Mapped) -> None:
    for (account, placing), call in zip(mapped.of_kind("tool"), expected_calls(folder), strict=True):
        arguments = placing.arguments if placing.arguments is not None else account.arguments
        assert (arguments is not None) == call["has_args"]
        # Langfuse's decorator knows positional arguments without their names, and no model span tells them.
        assert arguments is None or isinstance(arguments, dict) or folder == "langfuse"


def test_results_have_their_shape_their_size_and_their_end(folder: str, mapped: Mapped) -> None:
    for (account, _placing), call in zip(mapped.of_kind("tool"), expected_calls(folder), strict=True):
        size = len(account.result) if isinstance(account.result, str) else None
        assert call["result"] == (size if size is not None else _shape(account.result))
        assert not call["result_tail_intact"] or account.result.endswith("END conclusion: refund approved by supplier")


def _shape(value: Any) -> str | None:
    return None if value is None else type(value).__name__


def test_failures_name_their_type(folder: str, mapped: Mapped) -> None:
    for (account, placing), call in zip(mapped.of_kind("tool"), expected_calls(folder), strict=True):
        if call["error_type"] and call["error_type"] != "tool_error":  # which says no more than that it failed
            assert account.message.startswith(f"{call['error_type']}: 401 Unauthorized")
        if "message" in placing.taken_from:
            assert mapped.accounts[placing.taken_from["message"]].message.startswith("401 Unauthorized")


def test_waits_for_a_person_are_waits(folder: str, mapped: Mapped) -> None:
    gates = [one for one in mapped.ordered if one.role == Role.GATE or one.outcome == "waiting"]
    assert len(gates) == len(EXPECTED[folder]["gates"])
    for gate, (name, kind) in zip(gates, EXPECTED[folder]["gates"], strict=True):
        assert gate.name.endswith(name)
        assert gate.outcome == ("ok" if kind == "accept" else "waiting")
        assert kind in gate.message or kind == "GraphInterrupt"
