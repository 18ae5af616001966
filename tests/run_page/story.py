"""A run with everything in it that a run page has to show, as the wire items that an agent would send."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from agentconsole.protocol.ids import new_request_id, new_span_id, uuid7

Item = dict[str, Any]

LONG_RESULT = "BEGIN of the log\n" + "".join(
    f"{line:05d} checkout-7f9 level=warn msg=\"pool exhausted\" waited_ms={line * 7 % 900}\n" for line in range(900)
) + "END of the log"  # fmt: skip
PLAN = [
    # sub-agent, its query, its calls: (tool, start, took, outcome, budget, message)
    ("metrics", "p99 of checkout over the last hour, by region", [
        ("query_metrics", 0.1, 2.4, "ok", (3000, 10000), ""),
        ("query_metrics", 2.6, 4.9, "slow", (3000, 10000), "answered after the soft budget of 3 s"),
        ("list_dashboards", 7.6, 0.3, "empty", (1000, 4000), "no dashboard matches"),
    ]),
    ("logs", "errors of checkout since 01:40 UTC", [
        ("search_logs", 0.2, 6.1, "ok", (8000, 20000), ""),
        ("search_logs", 6.4, 20.0, "timeout", (8000, 20000), "tool unresponsive: no answer within 20 s; pivot or report"),
        ("tail_logs", 26.5, 3.2, "degraded", (2000, 5000), "503 from the log store; the circuit opens after 2 more"),
        ("read_secret", 29.8, 0.2, "auth_failed", (500, 2000), "401: the credential for the archive was refused"),
    ]),
    ("deploys", "what was deployed to checkout today", [
        ("list_deploys", 0.1, 0.9, "ok", (1000, 5000), ""),
        ("diff_release", 1.1, 1.4, "ok", (2000, 8000), ""),
        ("parse_changelog", 2.6, 0.1, "error", (500, 2000), "KeyError: 'version'; this is a bug in the tool"),
    ]),
    ("infra", "pods and nodes under checkout", [
        ("list_pods", 0.1, 0.7, "ok", (1000, 5000), ""),
        ("describe_node", 0.9, 1.1, "ok", (1000, 5000), ""),
        ("restart_pod", 2.1, 0.4, "rejected", (5000, 30000), "stopped at the approval boundary"),
    ]),
]  # fmt: skip
PHASES = [
    ("plan", 0, 4),
    ("route", 4, 6),
    ("gather", 6, 52),
    ("correlate", 54, 66),
    ("synthesise", 66, 84),
    ("act", 84, 90),
]


@dataclass
class Story:
    """The items of one run in the order in which they happened, each with its second."""

    start: datetime
    request_id: str = field(default_factory=new_request_id)
    run_id: str = field(default_factory=lambda: str(uuid7()))
    items: list[tuple[float, Item]] = field(default_factory=list)
    span_ids: dict[str, str] = field(default_factory=dict)

    def at(self, second: float) -> str:
        """The moment, as the wire has it."""
        return (self.start + timedelta(seconds=second)).isoformat()

    def add(self, second: float, kind_of_item: str, **fields: Any) -> None:
        """One item that happens at that second."""
        item = {"type": kind_of_item, "at": self.at(second), **fields}
        if kind_of_item not in ("run.started", "run.finished"):
            item["run"] = self.run_id
        self.items.append((second, item))

    def span(
        self, name: str, second: float, took: float | None, kind: str = "tool", key: str = "", **fields: Any
    ) -> str:
        """A span's item, or the two of one that ends: when it starts and when it is over. Its id."""
        span_id = new_span_id()
        self.span_ids[key or name] = span_id
        told = {"id": span_id, "kind": kind, "name": name, **fields}
        outcome, result = told.pop("outcome", "ok"), told.pop("result", None)
        start = {"type": "span", "run": self.run_id, "at": self.at(second), **told}
        if took is None:
            self.items.append((second, {**start, "outcome": outcome}))
            return span_id
        ended = {"ended_at": self.at(second + took), "outcome": outcome, "result": result}
        begun = {name: value for name, value in start.items() if name not in ("message", "elapsed_ms", "attempts")}
        self.items.append((second, {**begun, "outcome": "running"}))
        self.items.append((second + took, {**start, **ended}))
        return span_id

    def token(self, second: float, token: str, level: str = "info", message: str = "", **fields: Any) -> None:
        """A trace event."""
        self.add(second, "event", id=str(uuid7()), token=token, level=level, message=message, fields=fields)

    def until(self, second: float) -> list[Item]:
        """What has happened by then, in order."""
        return [item for at, item in sorted(self.items, key=lambda one: one[0]) if at <= second]

    def after(self, second: float) -> list[Item]:
        """What happens later, in order."""
        return [item for at, item in sorted(self.items, key=lambda one: one[0]) if at > second]


def rich_run(start: datetime) -> Story:
    """Six phases, four sub-agents, two dozen calls with every outcome, retries, an orphan, a late span, a gap, a long result."""
    story = Story(start)
    story.add(0, "run.started", id=story.run_id, request_id=story.request_id, transport="slack", query="Why is checkout slow in eu-west since 01:40?", subject="dana", on_behalf_of="dana@example.org", deadline=story.at(120), heartbeat_s=2, lease_s=30)  # fmt: skip
    for phase, begins, ends in PHASES:
        _phase(story, phase, begins, ends)
    story.token(0.2, "RUN_STARTED", transport="slack")
    story.span(
        "plan",
        0.3,
        3.4,
        kind="model",
        phase="plan",
        attributes={"model": "small-1", "tokens_in": 812, "tokens_out": 96},
    )
    story.token(4.4, "ROUTER_DECISION", agents=[name for name, _, _ in PLAN], reason="latency and errors rose together")
    story.span("rerank_runbooks", 4.4, 1.2, kind="retrieval", phase="route", arguments={"query": "checkout latency", "k": 5}, result=["runbook-12", "runbook-7"])  # fmt: skip
    for index, (name, query, calls) in enumerate(PLAN):
        _sub_agent(story, 6.2 + index * 0.2, name, query, calls)
    story.span(
        "correlate", 54.2, 11.5, kind="model", phase="correlate", result="A deploy at 01:38 halved the pool size."
    )
    _retried(story, 66.3)
    story.span(
        "write_answer", 74.5, 9.2, kind="model", phase="synthesise", result="The pool was halved by release 412."
    )
    story.token(75.0, "SYNTH_FALLBACK_TRIGGERED", "warning", "the first draft was too long", draft_tokens=9000)
    story.span("post_answer", 84.4, 2.1, phase="act", arguments={"channel": "#incidents", "Authorization": "Bearer abcdefghij0123456789"}, result="posted", budget={"soft_ms": 1000, "hard_ms": 5000})  # fmt: skip
    story.span("lost_parent_call", 40, 3.0, parent="00000000deadbeef", phase="gather", agent="unknown")
    story.span("skewed_clock_call", 6.15, 1.0, parent=story.span_ids["infra"], phase="gather")
    story.span("flush_metrics", 88.5, 6.0, kind="step", phase="act")
    story.token(86.6, "SLACK_ACK_PRIMARY_POSTED", channel="#incidents")
    story.add(90, "run.finished", id=story.run_id, status="succeeded", summary="Release 412 halved the connection pool; roll it back.")  # fmt: skip
    return story


def _phase(story: Story, phase: str, begins: float, ends: float) -> None:
    story.add(begins, "tick", id=str(uuid7()), phase=phase, state="entered")
    second = begins + 2
    while second < ends:
        if not (phase == "gather" and 30 < second < 44):  # the gap: nobody ticked
            story.add(second, "tick", id=str(uuid7()), phase=phase, state="alive")
        second += 2
    story.add(ends, "tick", id=str(uuid7()), phase=phase, state="left")


def _sub_agent(story: Story, begins: float, name: str, query: str, calls: list[Any]) -> None:
    last = max(start + took for _, start, took, *_ in calls)
    result = LONG_RESULT if name == "logs" else f"{name}: checked, see the calls."
    parent = story.span(name, begins, last + 1.5, kind="subagent", agent=name, phase="gather", arguments={"query": query}, result=result, message=f"{name} answered")  # fmt: skip
    story.token(begins, "SUBAGENT_STARTED", agent=name)
    for number, (tool, start, took, outcome, (soft, hard), message) in enumerate(calls):
        answer = (
            None if outcome in ("timeout", "auth_failed", "degraded", "rejected", "error") else _answer(tool, number)
        )
        story.span(tool, begins + start, took, key=f"{name}.{tool}.{number}", parent=parent, agent=name, phase="gather", outcome=outcome, message=message, budget={"soft_ms": soft, "hard_ms": hard}, arguments={"service": "checkout", "window": "1h", "page": number}, result=[] if outcome == "empty" else answer, elapsed_ms=round(took * 1000), **_hint(outcome))  # fmt: skip
        if outcome != "ok":
            story.token(begins + start + took, f"TOOL_{outcome.upper()}", "warning", message, tool=tool, agent=name)
    story.span("summarise", begins + last + 0.1, 1.2, kind="model", key=f"{name}.summarise", parent=parent, agent=name)
    story.token(begins + last + 1.5, "SUBAGENT_FINISHED", agent=name, calls=len(calls))


def _hint(outcome: str) -> Item:
    return (
        {"hint": {"fallback_to": "tail_logs", "reason": "it reads the newest hour only"}}
        if outcome == "timeout"
        else {}
    )


def _answer(tool: str, number: int) -> Any:
    rows = [{"region": region, "p99_ms": 120 + 37 * number, "ok": True} for region in ("eu-west", "us-east")]
    return {"tool": tool, "rows": rows, "note": None}


def _retried(story: Story, second: float) -> None:
    tries = [
        (0, 1900, "degraded", "429: rate limited"),
        (2.4, 2100, "degraded", "503: overloaded"),
        (5.2, 1400, "ok", ""),
    ]
    attempts = [
        {"at": story.at(second + offset), "elapsed_ms": ms, "outcome": outcome, "message": message}
        for offset, ms, outcome, message in tries
    ]
    story.span("search_incidents", second, 6.6, phase="synthesise", attempts=attempts, budget={"soft_ms": 2000, "hard_ms": 4000}, retryable=True, result=json.dumps({"incidents": ["INC-204"]}), message="answered at the third attempt")  # fmt: skip


def wide_run(start: datetime, spans: int, *, is_finished: bool = True) -> Story:
    """A run of so many spans: sub-agents of 49 calls each, and a heartbeat a second."""
    story = Story(start)
    seconds = max(spans / 50, 10)
    story.add(0, "run.started", id=story.run_id, request_id=story.request_id, transport="rest", query=f"{spans} spans", heartbeat_s=1)  # fmt: skip
    story.add(0, "tick", id=str(uuid7()), phase="gather", state="entered")
    outcomes = ["ok", "ok", "ok", "ok", "slow", "empty", "ok", "timeout", "ok", "error", "degraded"]
    parent = ""
    for number in range(spans):
        second = number * seconds / spans
        if number % 50 == 0:
            parent = new_span_id()
            ended = story.at(second + 50 * seconds / spans)
            story.add(second, "span", id=parent, kind="subagent", name=f"worker-{number // 50}", ended_at=ended, outcome="ok", phase="gather")  # fmt: skip
            continue
        ended = story.at(second + seconds / spans * (1 + number % 7))
        outcome = outcomes[number % len(outcomes)]
        story.add(second, "span", id=new_span_id(), parent=parent, kind="tool", name=f"call-{number}", ended_at=ended, outcome=outcome, phase="gather", result=f"result {number}")  # fmt: skip
        if number % 10 == 0:
            story.token(second, "TOOL_SLOW", "warning", number=number)
    story.add(seconds, "tick", id=str(uuid7()), phase="gather", state="left")
    if is_finished:
        story.add(seconds, "run.finished", id=story.run_id, status="succeeded", summary="done")
    return story


def batches(items: list[Item], size: int = 500) -> Iterator[list[Item]]:
    """Items in batches as an agent sends them."""
    for first in range(0, len(items), size):
        yield items[first : first + size]
