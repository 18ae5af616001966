"""A month is a range of run ids."""

import uuid
from datetime import UTC, datetime, timedelta, timezone

import pytest

from agentconsole.protocol.ids import first_uuid7
from runs.months import Month
from tests.partitions.months import at, run_begun

NOVEMBER = Month(2026, 11)
MS = timedelta(milliseconds=1)


def holds(month: Month, moment: datetime) -> bool:
    return month.first_id <= uuid.UUID(run_begun(moment)) < month.end_id


def test_a_run_is_in_the_month_that_it_began_in():
    assert holds(NOVEMBER, at("2026-11-01T00:00"))
    assert holds(NOVEMBER, at("2026-12-01T00:00") - MS)
    assert not holds(NOVEMBER, at("2026-11-01T00:00") - MS)
    assert not holds(NOVEMBER, at("2026-12-01T00:00"))


def test_months_follow_each_other_without_a_gap():
    month, starts = Month(2026, 11), []
    for _ in range(15):
        assert month.end_id == month.following.first_id
        starts.append(month.start)
        month = month.following
    assert month == Month(2028, 2)
    assert [start.month for start in starts[:4]] == [11, 12, 1, 2]


def test_the_month_of_a_time_is_that_of_utc():
    assert Month.of(datetime(2026, 12, 1, 0, 30, tzinfo=timezone(timedelta(hours=2)))) == NOVEMBER


@pytest.mark.parametrize("name", ["runs_span_default", "runs_span", "runs_span_2026_13", "runs_span_2026_11_old"])
def test_a_name_without_a_month_tells_none(name: str):
    assert Month.told_by(name) is None


def test_a_partitions_name_tells_its_month():
    assert Month.told_by(f"runs_span_{NOVEMBER}") == NOVEMBER


def test_the_least_id_of_a_time_is_less_than_any_that_is_made_then():
    moment = datetime(2026, 11, 22, 20, 0, 0, 1_000, tzinfo=UTC)
    assert first_uuid7(moment) < uuid.UUID(run_begun(moment)) < first_uuid7(moment + MS)
