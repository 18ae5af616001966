"""What measurements mean to the doctor, at the edges where the meaning turns."""

import pytest

from agentconsole.protocol.envelope import Budget, Envelope, Outcome
from runs.doctor import rules
from runs.doctor.finding import Weight, judged, size, span_of
from runs.doctor.subagents.ingest import closed_door, otlp_ports
from runs.doctor.subagents.queue import readiness

FINE, NOTICE, PROBLEM = Weight.FINE, Weight.NOTICE, Weight.PROBLEM
GIB = 1024**3


def envelope(outcome: Outcome, data: object = None, message: str = "") -> Envelope:
    return Envelope(tool="t", outcome=outcome, elapsed_ms=1, budget=Budget(1, 2), data=data, message=message)


@pytest.mark.parametrize(
    ("free", "total", "weight"),
    [(50, 100, FINE), (15, 100, FINE), (14, 100, NOTICE), (4, 100, PROBLEM), (0.4, 1, PROBLEM), (0, 0, PROBLEM)],
)
def test_a_disk_is_told_before_it_is_full(free: float, total: float, weight: Weight):
    assert rules.disk({"free": int(free * GIB), "total": int(total * GIB)}).weight is weight


@pytest.mark.parametrize(("used", "weight"), [(None, FINE), (3, FINE), (85, NOTICE), (95, PROBLEM)])
def test_inodes_run_out_too(used: int | None, weight: Weight):
    assert rules.inodes(used).weight is weight


@pytest.mark.parametrize(("unused", "weight"), [(0, FINE), (GIB // 5, FINE), (2 * GIB, NOTICE)])
def test_a_database_of_holes_is_worth_a_look(unused: int, weight: Weight):
    assert rules.database({"bytes": 4 * GIB, "unused": unused, "wal": 0}).weight is weight


@pytest.mark.parametrize(("waiting", "weight"), [(0, FINE), (1, FINE), (100, NOTICE), (1000, PROBLEM)])
def test_a_queue_is_judged_by_its_length(waiting: int, weight: Weight):
    assert rules.queue({"waiting": waiting}).weight is weight


@pytest.mark.parametrize(
    ("counts", "weight"),
    [
        ({}, FINE),
        ({"succeeded": 96, "failed": 4}, FINE),
        ({"succeeded": 1, "failed": 4}, FINE),
        ({"succeeded": 15, "failed": 3, "timed_out": 2}, PROBLEM),
        ({"running": 500, "failed": 5}, PROBLEM),
    ],
)
def test_many_failures_among_enough_runs_are_a_problem(counts: dict[str, int], weight: Weight):
    assert rules.statuses(counts, 24).weight is weight


def test_silent_runs_are_named_and_the_rest_counted():
    rows = [{"agent": f"a{n}", "environment": "dev", "request_id": f"req-{n}"} for n in range(7)]
    finding = rules.stalled(rows, 24)
    assert finding.weight is PROBLEM
    assert "7 runs fell silent" in finding.text
    assert "a4 in dev (req-4) and 2 more" in finding.text


def test_a_degraded_agent_is_told_with_what_it_lacks():
    finding = rules.degraded([{"agent": "triage", "environment": "prod", "missing": ["jira", "pager"]}])
    assert finding.weight is PROBLEM
    assert "triage in prod without jira, pager" in finding.text


def test_warnings_are_counted_by_token_and_the_rare_ones_together():
    counts = {f"TOKEN_{n}": 10 - n for n in range(7)}
    assert "TOKEN_0 10×, TOKEN_1 9×, TOKEN_2 8×, TOKEN_3 7×, TOKEN_4 6×, others 9×" in rules.warnings(counts, 60).text


@pytest.mark.parametrize("nothing", [None, ()])
def test_nothing_is_good_news(nothing: tuple[()] | None):
    news = [
        rules.stalled(nothing, 24),
        rules.degraded(nothing),
        rules.failures(nothing, 60),
        rules.slowest(nothing, 60),
    ]
    assert {finding.weight for finding in news} == {FINE}


@pytest.mark.parametrize(
    ("outcome", "weight"), [(Outcome.AUTH_FAILED, FINE), (Outcome.OK, PROBLEM), (Outcome.TIMEOUT, NOTICE)]
)
def test_a_door_that_opens_to_a_stranger_is_a_problem(outcome: Outcome, weight: Weight):
    assert closed_door(envelope(outcome, data={"topic": "run"})).weight is weight


def test_a_port_that_something_listens_on_is_told():
    probes = {4317: envelope(Outcome.DEGRADED), 4318: envelope(Outcome.OK, data={"connected_ms": 1.0})}
    assert "port 4318." in otlp_ports(probes).text
    assert "Nothing answers" in otlp_ports({4317: envelope(Outcome.DEGRADED)}).text


def test_a_console_that_is_not_ready_is_a_problem_with_its_parts():
    finding = readiness(envelope(Outcome.DEGRADED, message="not ready: worker (no worker has run a task yet)"))
    assert finding.weight is PROBLEM
    assert "worker (no worker has run a task yet)" in str(finding)


def test_a_call_without_an_answer_is_told_as_not_known():
    finding = judged(envelope(Outcome.TIMEOUT, message="no answer within 2 s"), "The rate", rules.rate)
    assert (finding.weight, str(finding)) == (NOTICE, "The rate: not known, t ended as timeout. no answer within 2 s")


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (812, "812 B"), (1010, "1010 B"), (1536, "1.5 KiB"), (5 * GIB, "5 GiB"), (3 * 1024**5, "3072.0 TiB")],
)
def test_sizes_read_well(count: float, text: str):
    assert size(count) == text


@pytest.mark.parametrize(("milliseconds", "text"), [(0, "0 ms"), (999, "999 ms"), (1250, "1.2 s")])
def test_durations_read_well(milliseconds: float, text: str):
    assert span_of(milliseconds) == text
