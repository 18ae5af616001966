"""A reading can change nothing, and ends when its time is over."""

import time
from collections.abc import Callable

import pytest
from django.db import connection

from agentconsole.sdk import Budget, Console, Envelope, Outcome
from runs.doctor.tools.reading import Reading
from runs.models import Environment

pytestmark = pytest.mark.django_db(transaction=True)
NO_RETRY_BUDGET = Budget(soft_ms=100, hard_ms=300)
# Some ten seconds of counting, on either database.
ENDLESS = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000000) SELECT max(i) FROM n",
    "postgresql": "SELECT pg_sleep(10)",
}
finished: list[bool] = []


@Reading
def rename_an_environment(name: str) -> int:
    """Tries to write."""
    return Environment.objects.update(name=name)


@Reading
def count_for_ever() -> None:
    """Takes its time."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(ENDLESS[connection.vendor])
    finally:
        finished.append(True)


def call(reading: Callable[..., object], *args: object) -> Envelope:
    with Console() as console, console.run() as run:
        return run.call(reading, *args, budget=NO_RETRY_BUDGET)


def test_it_can_not_write():
    Environment.objects.create(name="dev")
    envelope = call(rename_an_environment, "gone")
    assert envelope.outcome is Outcome.DEGRADED
    assert "read" in envelope.message
    assert list(Environment.objects.values_list("name", flat=True)) == ["dev"]


def test_what_comes_after_it_can_write_again():
    call(rename_an_environment, "gone")
    Environment.objects.create(name="dev")


def test_a_statement_that_takes_too_long_is_ended_in_the_database():
    finished.clear()
    started = time.monotonic()
    envelope = call(count_for_ever)
    assert envelope.outcome is Outcome.TIMEOUT
    assert "left behind" not in envelope.message
    assert time.monotonic() - started < 3
    assert finished


def test_its_arguments_are_shown_by_name():
    from agentconsole.sdk.arguments import arguments_of, name_of

    assert name_of(rename_an_environment) == "rename_an_environment"
    assert arguments_of(rename_an_environment, ("gone",), {}) == {"name": "gone"}
