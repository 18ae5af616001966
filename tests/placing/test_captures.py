"""What a careful reader finds in each captured folder is what our rows say.

Where `expected.json` lists more tool calls than we have rows, it lists one call twice: as its caller and as its server saw it.
"""

import json
from collections import Counter
from typing import Any

import pytest

from runs.models import Run, Span, SpanKind
from tests.cast import AgentCaller
from tests.otlp.bodies import CAPTURES, FOLDERS
from tests.placing.exports import exports_of, store

pytestmark = pytest.mark.django_db
EXPECTED: dict[str, Any] = json.loads((CAPTURES / "expected.json").read_text(encoding="utf-8"))
WORDS = {
    "OK": "ok", "SLOW": "slow", "EMPTY": "empty", "AUTH_FAILURE": "auth_failed", "ERROR": "error",
    "NO_RESULT": "unreported", "WAITING_APPROVAL": "waiting",
}  # fmt: skip
# The same calls once more, from inside the tools' server: parts of the calls above them, shown as steps.
SERVER_SIDE = {"claude_agent_sdk": [("lookup_order", "unreported"), ("refund_card", "error")]}
# Its spans tell no result: a log record does, later, in the user's next prompt.
ANSWERED_LATER = {"claude_agent_sdk": {("Agent", "unreported"): ("Agent", "ok")}}


@pytest.fixture(params=FOLDERS)
def folder(request: pytest.FixtureRequest, agent: AgentCaller, settings: Any) -> str:
    """A folder whose exports are stored, with the budget that `expected.json` reads by."""
    settings.OTLP_SOFT_MS = 300
    store(exports_of(request.param), agent.instance)
    return str(request.param)


def calls_in(folder: str) -> Counter[tuple[str, str]]:
    listed = Counter((call["name"], WORDS[call["outcome"]]) for call in EXPECTED[folder]["tool_calls"])
    listed -= Counter(SERVER_SIDE.get(folder, []))
    later = ANSWERED_LATER.get(folder, {})
    return Counter({later.get(call, call): number for call, number in listed.items()})


def test_who_asked_is_found(folder: str):
    found = Run.objects.values_list("request_id", "session_id", "on_behalf_of")
    expected = EXPECTED[folder]
    told = [expected[fact][0].replace("None", "") for fact in ("request_id", "session", "user")]
    assert set(found) == {tuple(told)}


def test_each_real_call_is_one_row(folder: str):
    spans = Span.objects.filter(kind=SpanKind.TOOL)
    assert Counter(spans.values_list("name", "outcome")) == calls_in(folder)
    counted: Counter[str] = Counter()
    for run in Run.objects.all():
        counted.update(run.tools)
    assert counted == Counter(spans.values_list("outcome", flat=True))


def test_calls_have_their_ids_arguments_and_results(folder: str):
    rows = {(span.name, span.outcome): span for span in Span.objects.filter(kind=SpanKind.TOOL)}
    for call in EXPECTED[folder]["tool_calls"]:
        span = rows.get((call["name"], WORDS[call["outcome"]]))
        if span is None or (span.name, span.outcome) in SERVER_SIDE.get(folder, []):
            continue
        mapping = span.mapping or {}
        call_ids = {mapping.get("call_id"), mapping.get("placed", {}).get("call_id")}
        assert call["call_id"] in (None, *call_ids)
        assert span.arguments or not call["has_args"]
        assert _is_result(span, call), (span.name, span.result)


def _is_result(span: Span, call: dict[str, Any]) -> bool:
    match call["result"]:
        case None:
            return span.result is None
        case "dict" | "list":
            return isinstance(json.loads(span.result or ""), dict if call["result"] == "dict" else list)
        case chars:
            whole = span.cut.get("result", {}).get("chars", len(span.result or ""))
            text = span.result or ""
            is_intact = text.startswith("BEGIN") and "END conclusion" in text[-60:]
            return whole == chars and is_intact >= call["result_tail_intact"]


def test_agents_are_nested_where_they_belong(folder: str):
    spans = {span.span_id: span for span in Span.objects.all()}

    def place_of(span: Span) -> str:
        above = spans.get(span.parent_id)
        while above is not None and above.kind != SpanKind.TOOL and (above.mapping or {}).get("role") != "agent":
            above = spans.get(above.parent_id)
        return f"sub of tool {above.name}" if above is not None and above.kind == SpanKind.TOOL else "top/peer"

    agents = [span for span in spans.values() if (span.mapping or {})["role"] == "agent"]
    found = {(span.name, place_of(span)) for span in agents}
    assert sorted(found) == sorted(map(tuple, EXPECTED[folder]["agents"]))


def test_waits_for_people_are_waits(folder: str):
    gates = EXPECTED[folder]["gates"]
    waits = list(Span.objects.filter(outcome="waiting").values_list("name", flat=True))
    decided = Span.objects.filter(mapping__role="gate").exclude(outcome="waiting").values_list("name", flat=True)
    assert len(waits) + len(decided) == len(gates)
    assert set(waits) <= {name for name, _kind in gates}


def test_a_long_result_is_stored_once(folder: str):
    copies = [
        span
        for span in Span.objects.all()
        if "END conclusion" in (span.result or "") or "finding 0100" in str(span.attributes)
    ]
    if folder.startswith(("openinference", "pydantic", "traceloop")):
        assert [span.name for span in copies] == ["ask_supplier"]
