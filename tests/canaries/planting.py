"""Secrets of many kinds, one for each field of each door, and the places where none of them may turn up."""

import random
import string
from collections.abc import Iterable, Iterator
from typing import Any

from django.db import connection

from tests.ingest.items import AT, LATER, new_run

_chance = random.Random()
_ALNUM = string.ascii_letters + string.digits


def _drawn(length: int, alphabet: str = _ALNUM) -> str:
    return "".join(_chance.choices(alphabet, k=length))


class Plants:
    """Makes a secret for each place that asks, and remembers where it went."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.places: dict[str, str] = {}

    def __call__(self, place: str) -> str:
        """What goes into a field: a secret by itself or in what it is known by."""
        core = _drawn(36)
        self.places[place] = core
        return {
            "token": f"ghp_{core}",
            "header": f"Authorization: Bearer {core}",
            "url": f"postgres://console:{core}@db/console",
            "name": f"password={core}",
            "key": f"-----BEGIN PRIVATE KEY-----\nMII{core}\n-----END PRIVATE KEY-----",
        }[self.kind]

    def found_in(self, texts: Iterable[str]) -> list[str]:
        """The places whose secrets stand in any of the texts."""
        whole = "\n".join(texts)
        return [place for place, core in self.places.items() if core in whole]


KINDS = ("token", "header", "url", "name", "key")


def native_items(plant: Plants) -> list[dict[str, Any]]:
    """Every item with a secret in every field that takes text."""
    run = new_run()
    one_line = plant if plant.kind != "key" else Plants("token")
    items: list[dict[str, Any]] = [
        {
            "type": "run.started", "id": run, "at": AT, "request_id": "req-canary", "transport": "cli", "query": plant("query"),
            "subject": one_line("subject"), "on_behalf_of": one_line("on_behalf_of"), "session_id": one_line("session_id"),
            "attributes": {"deep": [{"er": plant("run.attributes")}], plant("run.attributes.key"): 1}, "more": plant("run.extra"),
        },
        {"type": "tick", "id": new_run(), "run": run, "at": AT, "phase": one_line("phase"), "state": "entered", "detail": plant("detail")},
        {
            "type": "span", "id": "1234567890abcdef", "run": run, "at": AT, "ended_at": LATER, "kind": "tool",
            "name": one_line("span.name"), "agent": one_line("span.agent"), "outcome": "error", "message": plant("span.message"),
            "arguments": {"deep": {"er": plant("arguments")}}, "result": plant("result"), "more": plant("span.extra"),
            "attempts": [{"at": AT, "elapsed_ms": 1, "outcome": "error", "message": plant("attempt")}],
            "hint": {"fallback_to": one_line("hint.fallback_to"), "reason": plant("hint.reason")},
            "attributes": {"x": plant("span.attributes"), plant("span.attributes.key"): [plant("span.attributes.list")]},
        },
        {
            "type": "event", "id": new_run(), "run": run, "at": AT, "token": "A_TOKEN", "message": plant("event.message"),
            "fields": {"x": plant("event.fields"), plant("event.fields.key"): 1}, "more": {"y": plant("event.extra")},
        },
        {"type": "run.finished", "id": run, "at": LATER, "status": "failed", "summary": plant("summary"), "error": plant("error")},
        {
            "type": "agent.startup", "id": new_run(), "at": AT, "expected": ["jira"], "version": one_line("startup.version"),
            "missing": [{"name": "jira", "reason": plant("startup.reason")}], "host": one_line("startup.host"),
        },
    ]  # fmt: skip
    if one_line is not plant:
        plant.places |= one_line.places
    return items


def _values(plant: Plants, place: str) -> list[dict[str, Any]]:
    return [
        {"key": "free", "value": {"stringValue": plant(f"{place}.text")}},
        {"key": plant(f"{place}.key"), "value": {"intValue": "1"}},
        {"key": "list", "value": {"arrayValue": {"values": [{"stringValue": plant(f"{place}.list")}]}}},
        {
            "key": "map",
            "value": {"kvlistValue": {"values": [{"key": "x", "value": {"stringValue": plant(f"{place}.map")}}]}},
        },
    ]


def _text(key: str, value: str) -> dict[str, Any]:
    return {"key": key, "value": {"stringValue": value}}


def otlp_export(plant: Plants, now_ns: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Traces and logs as OTLP/JSON, with a secret in every field."""
    trace, span = _drawn(32, "0123456789abcdef"), _drawn(16, "123456789abcdef")
    resource = {"attributes": [*_values(plant, "resource"), _text("service.name", plant("service.name"))]}
    scope = {"name": plant("scope.name"), "version": plant("scope.version"), "attributes": _values(plant, "scope")}
    known = (
        "gen_ai.tool.call.arguments", "gen_ai.tool.call.result", "gen_ai.agent.name", "gen_ai.tool.name", "gen_ai.tool.call.id",
        "request.id", "session.id", "user.id", "gen_ai.input.messages", "error.type", "gen_ai.request.model", "input.value",
    )  # fmt: skip
    traced = {
        "traceId": trace, "spanId": span, "name": plant("otlp span.name"), "kind": 1,
        "startTimeUnixNano": str(now_ns), "endTimeUnixNano": str(now_ns + 1000), "traceState": plant("trace_state"),
        "attributes": [*_values(plant, "otlp span"), _text("gen_ai.operation.name", "execute_tool"), *(_text(name, plant(name)) for name in known)],
        "events": [{"timeUnixNano": str(now_ns), "name": plant("otlp event.name"), "attributes": [
            *_values(plant, "otlp event"), _text("exception.message", plant("exception.message")),
            _text("exception.stacktrace", plant("exception.stacktrace"))]}],
        "links": [{"traceId": trace, "spanId": span, "traceState": plant("link.state"), "attributes": _values(plant, "link")}],
        "status": {"code": 2, "message": plant("status.message")},
    }  # fmt: skip
    record = {
        "timeUnixNano": str(now_ns), "severityText": plant("severity"), "body": {"stringValue": plant("body")}, "traceId": trace,
        "spanId": span, "eventName": plant("event_name"), "attributes": _values(plant, "log"),
    }  # fmt: skip
    spans = {"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": scope, "spans": [traced]}]}]}
    logs = {"resourceLogs": [{"resource": resource, "scopeLogs": [{"scope": scope, "logRecords": [record]}]}]}
    return spans, logs


def rows() -> Iterator[str]:
    """Every value of every table, as text."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            if "_fts" in table:
                continue
            cursor.execute(f'SELECT * FROM "{table}"')
            yield from (str(row) for row in cursor.fetchall())
