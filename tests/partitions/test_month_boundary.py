"""A run that begins in one month and ends in the next is one run: whatever its order of arrival, in the partition of its beginning."""

import itertools
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from runs.models import LOG_TABLES, PhaseTick, Run, Span, TraceEvent
from runs.months import Month
from runs.queries.log import run_log
from runs.queries.partitions import partition_of
from tests.cast import AgentCaller
from tests.ingest.items import ended, event, run_finished, run_started, span, tick
from tests.partitions.months import number, partition, rows_in, run_begun

pytestmark = [pytest.mark.postgres, pytest.mark.django_db]
BEGAN = Month.of(timezone.now()).start - timedelta(seconds=30)
ENDED = BEGAN + timedelta(minutes=1)
LAST, THIS = Month.of(BEGAN), Month.of(ENDED)
RUN_SAYS = {
    "status",
    "started_at",
    "ended_at",
    "transport",
    "actor",
    "query",
    "phase",
    "tools",
    "spans",
    "error",
    "summary",
}
SHARED = "00f067aa0ba902b7"


@pytest.fixture(autouse=True)
def _last_month(_partitions_as_found: None) -> None:
    partition(LAST)


def story(run: str) -> list[list[dict[str, Any]]]:
    """Batches of a run over the end of a month."""

    def at(moment: datetime) -> dict[str, str]:
        return {"at": moment.isoformat()}

    call = {**span(run, **at(BEGAN)), "id": SHARED}
    return [
        [run_started(run, **at(BEGAN)), tick(run, **at(BEGAN)), call],
        [ended(call, ended_at=ENDED.isoformat()), event(run, **at(ENDED))],
        [tick(run, state="left", **at(ENDED)), run_finished(run, **at(ENDED))],
    ]


def told(run: str) -> dict[str, Any]:
    """What the run's log says, but for its numbers and ids."""
    log = run_log(Run.objects.get(id=run).id, 0)
    assert log is not None
    strip = {"seq", "id", "request_id", "last_seen_at", "started_at"}
    return {
        "run": {name: value for name, value in (log["run"] or {}).items() if name in RUN_SAYS},
        **{
            part: sorted(str({name: value for name, value in row.items() if name not in strip}) for row in log[part])
            for part in ("ticks", "spans", "events")
        },
    }


def test_it_tells_the_same_in_any_order_and_however_often_it_is_sent(agent: AgentCaller):
    accounts = []
    for order in itertools.permutations(range(3)):
        run = run_begun(BEGAN)
        batches = story(run)
        accepted = [agent.send(*batches[index]).json() for index in order]
        assert sum(answer["accepted"] for answer in accepted) == 7 - (order.index(1) < order.index(0))
        again = [agent.send(*batch).json() for batch in batches]
        assert sum(answer["duplicates"] for answer in again) == 7
        accounts.append(told(run))
    assert all(account == accounts[0] for account in accounts)


def test_its_rows_lie_in_the_month_of_its_beginning(agent: AgentCaller):
    run = run_begun(BEGAN)
    for batch in story(run):
        agent.send(*batch)
    assert [rows_in(partition_of(table, LAST)) for table in (PhaseTick, Span, TraceEvent)] == [2, 1, 1]
    assert [rows_in(partition_of(table, THIS)) for table in LOG_TABLES] == [0, 0, 0]


def test_the_same_span_id_in_runs_of_two_months_is_two_spans(agent: AgentCaller):
    for began in (BEGAN, ENDED):
        agent.send(*story(run_begun(began))[0])
    assert Span.objects.filter(span_id=SHARED).count() == 2


def test_a_span_is_one_row_by_the_partitions_own_key(agent: AgentCaller):
    """Without its unique index, ON CONFLICT would be an error: the key of each partition is that of the table."""
    keys = "SELECT count(*) FROM pg_index WHERE indrelid = %s::regclass AND indisprimary"
    for table in LOG_TABLES:
        assert number(keys, partition_of(table, LAST)) == 1
