"""Traces of any shape, made by chance: agents, tools and models under each other, failures, long texts, lost parents, records."""

import json
from datetime import UTC, datetime, timedelta
from random import Random

from tests.placing.exports import span
from traces.otlp.shapes import OtlpEvent, OtlpLog, OtlpSpan, Scope

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LONG = ["one long text " * 80, "another long text " * 60, "x" * 20_000]
CALLS = ["c1", "c2", "c3"]
LOST = 99


def spans_of(chance: Random, trace: str) -> list[OtlpSpan]:
    """2 to 13 spans."""
    return [_span(chance, trace, number) for number in range(1, chance.randrange(3, 15))]


def _span(chance: Random, trace: str, number: int) -> OtlpSpan:
    kind = chance.choice(["invoke_agent", "execute_tool", "chat", ""])
    told = {
        "gen_ai.operation.name": kind,
        "gen_ai.agent.name": chance.choice("AB"),
        "gen_ai.tool.name": chance.choice("tu"),
        "gen_ai.tool.call.id": chance.choice(CALLS),
        "gen_ai.tool.call.result": chance.choice([*LONG, "", '{"a":1}']),
        "gen_ai.output.messages": json.dumps([_asked(chance, number)]),
        "request.id": chance.choice(["r1", "r2"]),
        "extra": chance.choice(LONG),
        "inside": json.dumps({"said": chance.choice(LONG)}),
    }
    kept = {
        key: value for key, value in told.items() if value and (key == "gen_ai.operation.name" or chance.random() < 0.5)
    }
    failure = chance.choice(["", "", "401 Unauthorized", "boom"])
    return span(
        trace, number, chance.choice([0, *range(1, number), LOST]),
        at=chance.randrange(50) / 1000, took=chance.choice([None, 0.1, 0.2, 0.9]), name=f"n{number % 3}", attributes=kept,
        events=(_exception(chance, failure),) if failure else (), status_code=2 if failure else 0, status_message=failure,
        scope=Scope(chance.choice(["s1", "s2"]), "1"),
    )  # fmt: skip


def _asked(chance: Random, number: int) -> dict[str, object]:
    call = {"type": "tool_call", "id": chance.choice(CALLS), "name": chance.choice("tu"), "arguments": {"q": number}}
    return {"role": "assistant", "parts": [call]}


def _exception(chance: Random, failure: str) -> OtlpEvent:
    trace = chance.choice(["File a\n" * 200, "File b\n" * 300])
    told = {"exception.type": "Error", "exception.message": failure, "exception.stacktrace": trace}
    return OtlpEvent(AT, "exception", told)


def records_of(chance: Random, trace: str) -> list[OtlpLog]:
    """None to 3 records that tell of tool calls."""
    return [
        OtlpLog(
            at=AT + timedelta(milliseconds=chance.randrange(99)),
            body="claude_code.tool_result",
            trace_id=trace,
            attributes={
                "event.name": "tool_result", "tool_use_id": chance.choice(CALLS),
                "tool_input": json.dumps({"q": chance.randrange(3)}), "success": chance.choice(["true", "false"]),
            },
            scope=Scope("com.anthropic.claude_code.events"),
        )
        for _ in range(chance.randrange(4))
    ]  # fmt: skip
