"""The pure modules of the run page, in the engine that they run in."""

import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page

from agentconsole.protocol.ids import uuid7
from agentconsole.protocol.truncation import truncate
from runs.models import PhaseTick, Run, RunStatus, Span
from runs.queries.shapes import iso
from runs.timeline.ribbon import bands_of, shares_of, waits_of
from runs.timeline.state import Stretch, deadline_of, state_of, stretch_of
from tests.browser.console import WebConsole
from tests.run_page.story import rich_run

START = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


def at(second: float) -> str:
    return iso(START + timedelta(seconds=second))


def call(page: Page, module: str, body: str, data: Any = None) -> Any:
    """What `body`, an expression over the module `m` and `data`, comes to."""
    source = f"async ([path, data]) => {{ const m = await import(path); return {body}; }}"
    return page.evaluate(source, [f"/static/js/run/{module}.js", data])


@pytest.fixture
def blank(page: Page, server: WebConsole) -> Page:
    """A page of the console that runs none of these modules."""
    page.goto(f"{server.url}/login/")
    return page


def span(name: str, start: float, end: float | None, parent: str = "", **fields: Any) -> dict[str, Any]:
    """A span's light shape."""
    return {
        "id": name, "parent": parent, "kind": "tool", "name": name, "agent": "", "phase": "", "at": at(start),
        "ended_at": None if end is None else at(end), "outcome": "running" if end is None else "ok", "message": "",
        "elapsed_ms": None, "soft_ms": None, "hard_ms": None, "attempts": [], "approval": "", "seq": 1, **fields,
    }  # fmt: skip


def rows(page: Page, spans: list[dict[str, Any]], **options: Any) -> list[list[Any]]:
    """Name, depth and marks of the rows that the tree module makes."""
    body = """(() => {
      const run = data.ended ? { ended_at: data.ended } : null;
      const matches = data.find ? (span) => span.name.includes(data.find) : null;
      return m.flatten(m.forest(data.spans, run), new Set(data.collapsed ?? []), matches)
        .map(({ node, depth, isContext }) => [node.id, depth, node.marks.skew > 0, node.marks.isLate, node.marks.isLoop, isContext]);
    })()"""
    return call(page, "tree", body, {"spans": spans, **options})


def names(found: list[list[Any]]) -> list[tuple[str, int]]:
    return [(row[0], row[1]) for row in found]


def path(page: Page, spans: list[dict[str, Any]], to: float) -> dict[str, list[list[float]]]:
    """The critical path in seconds from START, by span."""
    body = """(async () => {
      const tree = await import("/static/js/run/tree.js");
      const found = m.criticalPath(tree.forest(data.spans, null), data.start + data.to * 1000);
      return Object.fromEntries([...found].map(([id, parts]) => [id, parts.map((part) => part.map((ms) => (ms - data.start) / 1000))]));
    })()"""
    return call(page, "critical", f"await {body}", {"spans": spans, "start": START.timestamp() * 1000, "to": to})


def test_log_pages_in_any_order_and_twice_make_the_same_state(page: Page, server: WebConsole):
    story = rich_run(datetime.now(UTC) - timedelta(minutes=5))
    for item in story.until(1000):
        server.ingest([item])
    server.login(page, "vera")
    body = """(async () => {
      const pages = [];
      for (let after = 0, more = true; more; ) {
        const log = await (await fetch(`/api/v1/runs/${data}/log?after=${after}&limit=7`)).json();
        pages.push(log);
        after = log.seq;
        more = log.more;
      }
      const state = (logs) => {
        const store = m.createStore();
        logs.forEach((log) => m.apply(store, log));
        return JSON.stringify([store.run, ...["ticks", "spans", "events"].map((part) => m.inOrder(store[part]))]);
      };
      const shuffled = [...pages, ...pages].sort(() => Math.random() - 0.5);
      return [pages.length, state(pages) === state(shuffled), state(pages).length];
    })()"""
    count, is_same, length = call(page, "store", f"await {body}", story.run_id)
    assert count > 10
    assert is_same
    assert length > 10_000


def test_an_older_state_of_a_row_never_replaces_a_newer_one(blank: Page):
    body = """(() => {
      const store = m.createStore();
      const change = (seq) => m.apply(store, { run: null, ticks: [], events: [], spans: [{ id: "a", seq, outcome: String(seq) }] }).spans;
      return [change(5), change(3), change(5), change(9), store.spans.get("a").outcome];
    })()"""
    assert call(blank, "store", body) == [1, 0, 0, 1, "9"]


def test_children_stand_under_their_parents_in_time(blank: Page):
    spans = [span("late", 5, 6, "root"), span("root", 1, 9), span("early", 2, 3, "root"), span("first", 0, 1)]
    assert names(rows(blank, spans)) == [("first", 0), ("root", 0), ("early", 1), ("late", 1)]


def test_orphans_loops_skew_and_late_spans_are_all_there_and_marked(blank: Page):
    spans = [
        span("orphan", 3, 4, "gone"), span("a", 1, 2, "b"), span("b", 1.5, 2, "a"),
        span("parent", 5, 9), span("skewed", 4, 6, "parent"), span("late", 8, 99),
    ]  # fmt: skip
    found = {row[0]: row[1:5] for row in rows(blank, spans, ended=at(50))}
    assert found["missing:gone"] == [0, False, False, False]
    assert found["orphan"] == [1, False, False, False]
    assert found["a"] == [0, False, False, True]
    assert found["skewed"] == [1, True, False, False]
    assert found["late"] == [0, False, True, False]
    assert len(found) == 7


def test_folding_hides_what_is_below_and_a_filter_shows_it_with_its_ancestors(blank: Page):
    spans = [span("root", 0, 9), span("mid", 1, 8, "root"), span("needle", 2, 3, "mid"), span("other", 4, 5, "mid")]
    assert names(rows(blank, spans, collapsed=["mid"])) == [("root", 0), ("mid", 1)]
    found = rows(blank, spans, collapsed=["mid"], find="needle")
    assert [(row[0], row[5]) for row in found] == [("root", True), ("mid", True), ("needle", False)]


def test_five_thousand_generations_are_no_trouble(blank: Page):
    spans = [span(f"s{n}", n / 1000, 9, f"s{n - 1}" if n else "") for n in range(5000)]
    assert names(rows(blank, spans))[-1] == ("s4999", 4999)
    assert len(path(blank, spans, 9)) == 5000


def test_the_critical_path_is_what_was_waited_for(blank: Page):
    spans = [span("root", 0, 10), span("short", 1, 3, "root"), span("long", 1, 6, "root"), span("last", 7, 9, "root")]
    assert path(blank, spans, 10) == {"root": [[9, 10], [6, 7], [0, 1]], "long": [[1, 6]], "last": [[7, 9]]}


def test_what_outlives_its_parent_was_waited_for_only_until_the_parents_end(blank: Page):
    spans = [span("root", 0, 5), span("background", 2, 50, "root"), span("next", 5, 8)]
    assert path(blank, spans, 8) == {"next": [[5, 8]], "background": [[2, 5]], "root": [[0, 2]]}


def test_a_running_span_is_waited_for_until_now(blank: Page):
    spans = [span("done", 0, 4), span("open", 4, None)]
    assert path(blank, spans, 9) == {"open": [[4, 9]], "done": [[0, 4]]}


def test_gaps_are_where_a_tick_was_due_and_none_came(blank: Page):
    told = [(0, "entered"), (2, "alive"), (4, "alive"), (20, "alive"), (22, "left")]
    ticks = {
        str(n): {"id": str(n), "at": at(s), "phase": "gather", "state": state} for n, (s, state) in enumerate(told)
    }
    body = """m.bands(new Map(Object.entries(data.ticks)), { to: data.start + 30000, isLive: false, heartbeatMs: 2000 })
      .map((band) => [band.beats.length, band.gaps.map((gap) => gap.map((ms) => (ms - data.start) / 1000))])"""
    assert call(blank, "ribbon", body, {"ticks": ticks, "start": START.timestamp() * 1000}) == [[5, [[6, 20]]]]


@pytest.mark.parametrize("seed", range(5))
def test_the_ribbon_reads_like_the_servers(blank: Page, seed: int):
    chance = random.Random(seed)
    stretch = Stretch(START, START + timedelta(seconds=100), is_live=seed % 2 == 0)
    told = [
        PhaseTick(
            id=f"{n:032x}",
            at=START + timedelta(seconds=chance.randrange(100)),
            phase=chance.choice("abc"),
            state=chance.choice(["entered", "left", "alive"]),
        )
        for n in range(30)
    ]
    bands = bands_of(told, stretch)
    expected = [[b.phase, b.colour, b.lane, b.is_open, b.is_entered, b.is_left, (b.end or b.start).timestamp() * 1000] for b in bands]  # fmt: skip
    shares = [[s.phase, s.percent.removesuffix(" %")] for s in shares_of(bands, stretch)]
    ticks = {t.id: {"id": t.id, "at": iso(t.at), "phase": t.phase, "state": t.state} for t in told}
    body = """(() => {
      const found = m.bands(new Map(Object.entries(data.ticks)), { to: data.to, isLive: data.isLive, heartbeatMs: 1e9 });
      const shares = m.shares(found, data.from, data.to).map((one) => [one.phase, one.share > 0 && one.share < 0.005 ? "<1" : String(Math.round(one.share * 100))]);
      return [found.map((b) => [b.phase, b.colour, b.lane, b.isOpen, b.isEntered, b.isLeft, b.to]), shares.toSorted()];
    })()"""
    times = {"from": START.timestamp() * 1000, "to": stretch.end.timestamp() * 1000}
    found = call(blank, "ribbon", body, {"ticks": ticks, "isLive": stretch.is_live, **times})
    assert found == [expected, sorted(shares)]


def test_waits_on_people_are_told_whole_also_when_they_are_over(blank: Page):
    stretch = Stretch(START, START + timedelta(seconds=100))
    spans = [
        span("open", 80, None, outcome="waiting", approval=str(uuid7())),
        span("approved", 5, 65, approval=str(uuid7())),
        span("rejected", 10, 20, outcome="rejected", approval=str(uuid7())),
        span("call", 0, 90),
    ]
    rows_of = [
        Span(started_at=datetime.fromisoformat(one["at"]), ended_at=one["ended_at"] and datetime.fromisoformat(one["ended_at"]))
        for one in spans
        if one["approval"]
    ]  # fmt: skip
    expected = [[start.timestamp() * 1000, end.timestamp() * 1000] for start, end in waits_of(rows_of, stretch)]
    found = call(
        blank, "ribbon", "m.waits(data.spans, data.to)", {"spans": spans, "to": stretch.end.timestamp() * 1000}
    )
    assert found == expected


STATES: list[dict[str, Any]] = [
    {"status": RunStatus.RUNNING, "silent_s": 3},
    {"status": RunStatus.RUNNING, "silent_s": 16.5},
    {"status": RunStatus.RUNNING, "silent_s": 70},
    {"status": RunStatus.WAITING, "silent_s": 20},
    {"status": RunStatus.WAITING, "silent_s": 900},
    {"status": RunStatus.STALLED, "silent_s": 300},
    {"status": RunStatus.SUCCEEDED, "silent_s": 900, "ended_at": START + timedelta(seconds=40)},
    {
        "status": RunStatus.SUCCEEDED,
        "silent_s": 900,
        "ended_at": START + timedelta(seconds=40),
        "tools": {"ok": 3, "timeout": 1, "rejected": 1},
    },
    {"status": RunStatus.RUNNING, "silent_s": 1, "clock_skew_ms": 90_000},
]


@pytest.mark.parametrize("fields", STATES)
def test_the_state_reads_like_the_servers(blank: Page, fields: dict[str, Any]):
    now = START + timedelta(seconds=100)
    seen = now - timedelta(seconds=fields["silent_s"])
    kept = {name: value for name, value in fields.items() if name != "silent_s"}
    run = Run(started_at=START, last_seen_at=seen, deadline_at=START + timedelta(seconds=120), **kept)
    shape = {
        "status": run.status, "started_at": iso(START), "last_seen_at": iso(seen), "heartbeat_s": 10, "lease_s": 60,
        "ended_at": iso(run.ended_at) if run.ended_at else None, "deadline_at": at(120), "skew_ms": run.clock_skew_ms,
        "tools": run.tools,
    }  # fmt: skip
    body = """(async () => {
      const { durationText } = await import("/static/js/time.js");
      const { word, sentence } = m.stateOf(data.run, data.now, durationText);
      const times = m.timesOf(data.run, data.now);
      return [word, sentence, m.deadlineOf(data.run, data.now, durationText).text, times.to, times.isLive];
    })()"""
    state, stretch, deadline = state_of(run, now), stretch_of(run, now), deadline_of(run, now)
    assert deadline is not None
    expected = [state.word, state.sentence, deadline.text, stretch.end.timestamp() * 1000, stretch.is_live]
    assert call(blank, "status", f"await {body}", {"run": shape, "now": now.timestamp() * 1000}) == expected


def test_the_cut_is_found_in_code_points(blank: Page):
    cut = truncate("🙂é" * 1000 + "END", 400)
    shape = {"text": cut.text, "chars": cut.chars, "cut_at": cut.cut_at, "cut_chars": cut.cut_chars}
    halves = call(blank, "text", "m.halves(data)", shape)
    assert cut.cut_at is not None
    assert halves["head"] == cut.text[: cut.cut_at]
    assert halves["tail"].endswith("END")
    assert "TRUNCATED" not in halves["head"] + halves["tail"]


def test_redactions_stand_apart(blank: Page):
    found = call(blank, "text", "m.pieces('a [REDACTED:bearer_token] b').map((piece) => [piece.kind, piece.text])")
    assert found == [["text", "a "], ["redaction", "[REDACTED:bearer_token]"], ["text", " b"]]


@pytest.mark.parametrize(
    ("text", "is_tree"), [("{}", True), ("[1]", True), ("1", False), ("{oops", False), ('"x"', False)]
)
def test_only_json_objects_and_arrays_are_trees(blank: Page, text: str, is_tree: bool):
    shape = json.dumps({"text": text, "cut_at": None})
    assert call(blank, "text", "m.parsed(JSON.parse(data)) !== undefined", shape) is is_tree


def test_a_view_never_leaves_the_run(blank: Page):
    full = {"from": 0, "to": 1000}
    assert call(blank, "axis", "m.zoomed({ from: 0, to: 100 }, data, 100, 50)", full) == full
    assert call(blank, "axis", "m.panned({ from: 800, to: 1000 }, data, 500)", full) == {"from": 800, "to": 1000}
    assert call(blank, "axis", "m.zoomed({ from: 0, to: 1000 }, data, 0.5, 250)", full) == {"from": 125, "to": 625}


def test_the_axis_is_marked_at_round_times(blank: Page):
    assert call(blank, "axis", "m.marks({ from: 3, to: 95003 }, 3, 6)") == [3, 20003, 40003, 60003, 80003]
