"""A run's log by month, on PostgreSQL: partitions are made ahead of their month, and dropped when no run needs them.

Each partition is a transaction of its own that waits for its locks LOCK_WAIT_MS at most, then gives way: while it waits, whoever
comes after it waits too. All of it may run twice, at once, and be killed at any point. On SQLite nothing here does anything.
"""

import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial

from django.db import OperationalError, connection, models, transaction
from django.utils import timezone

from agentconsole.logconf import get_logger
from runs.models import LOG_TABLES, Environment, Run
from runs.months import Month
from runs.queries.partitions import default_of, has_partitions, missing_partitions, months_of, partition_of, strays
from runs.queries.retention import held_runs

log = get_logger(__name__)

# Below PostgreSQL's deadlock_timeout (1 s): where an ingest and this wait for each other, it is never the ingest that fails.
LOCK_WAIT_MS = 250
TRIES = 3
PAUSE_S = 0.5
# What takes about a second, in which ingest waits.
MOVED_AT_ONCE = 20_000
# No clock of the console's processes is further off.
LATELY = timedelta(hours=1)
# PostgreSQL's lock_not_available and deadlock_detected. By number: the embedded console does not load its driver.
_GAVE_WAY = ("55P03", "40P01")
_TURN = 0x61_67_65_6E_74  # the advisory lock of whoever makes or drops partitions


def make_partitions(*, move_at_most: int | None = MOVED_AT_ONCE) -> int:
    """Make the partitions that this month and the next ones lack; how many.

    Rows of such a month that lie in the default partition move into it, unless they are more than `move_at_most`: then the
    month stays there, where it works as well but can't be dropped, and PARTITION_NOT_MADE says so.
    """
    if not has_partitions():
        return 0
    missing = missing_partitions(timezone.now())
    return sum(_in_turn(partition_of(*one), partial(_make, *one, move_at_most)) for one in missing)


def drop_expired_months(limits: Mapping[str, datetime]) -> int:
    """Drop the log of each month of which every run is past its retention (`limits` by environment); how many months.

    The runs' own rows stay, for the sweep that deletes them one by one: without their logs, that costs little.
    """
    if not has_partitions() or not limits:
        return 0
    newest = max(limits.values())
    months = sorted(set[Month]().union(*(months_of(table) for table in LOG_TABLES)))
    over = [month for month in months if month.following.start <= newest]
    return sum(
        _in_turn(str(month), partial(_drop, month))
        for month in over
        if not held_runs(month.first_id, month.end_id, limits).exists()
    )


def _in_turn(name: str, work: Callable[[], bool]) -> bool:
    """Do a piece of work in a transaction whose waits are short. False if nothing was done: another worker is at it, or the tables
    are in use; then the next sweep tries again."""
    for _ in range(TRIES):
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_TURN])
                if not cursor.fetchone()[0]:
                    return False
                cursor.execute(f"SET LOCAL lock_timeout = {LOCK_WAIT_MS}")
                return work()
        except OperationalError as error:
            if getattr(error.__cause__, "sqlstate", "") not in _GAVE_WAY:
                raise
        time.sleep(PAUSE_S)
    log.info("PARTITION_IN_USE", partition=name, tries=TRIES)
    return False


def _make(table: type[models.Model], month: Month, move_at_most: int | None) -> bool:
    _keep_writers_out()
    if month in months_of(table):
        return False
    name, parent, default = partition_of(table, month), table._meta.db_table, default_of(table)
    rows = strays(table, month=month, upto=2**62 if move_at_most is None else move_at_most + 1)
    if move_at_most is not None and rows > move_at_most:
        log.warning("PARTITION_NOT_MADE", partition=name, rows=rows)
        return False
    # Not CREATE TABLE … PARTITION OF: that would keep readers out as well.
    _execute(f'CREATE TABLE "{name}" (LIKE "{parent}" INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE)')
    if rows:
        # A reader that has looked up the partitions before would find the moved rows in none of them.
        _execute(f'LOCK TABLE ONLY "{parent}" IN ACCESS EXCLUSIVE MODE')
        _execute(
            f'WITH moved AS (DELETE FROM "{default}"'  # noqa: S608  names and ids of ours
            f" WHERE run_id >= '{month.first_id}' AND run_id < '{month.end_id}' RETURNING *)"
            f' INSERT INTO "{name}" SELECT * FROM moved'
        )
    bounds = f"FROM ('{month.first_id}') TO ('{month.end_id}')"
    _execute(f'ALTER TABLE "{parent}" ATTACH PARTITION "{name}" FOR VALUES {bounds}')
    log.info("PARTITION_MADE", partition=name, moved=rows)
    return True


def _drop(month: Month) -> bool:
    environments = list(Environment.objects.values_list("name", flat=True))
    _keep_writers_out()
    if not any(month in months_of(table) for table in LOG_TABLES):
        return False
    # Whether one is held was asked before the lock, since it may read every run of a month. What has changed meanwhile is little.
    lately = Run.objects.filter(environment__in=environments, updated_at__gte=timezone.now() - LATELY)
    if lately.filter(id__gte=month.first_id, id__lt=month.end_id).exists():
        return False
    parents = ", ".join(f'ONLY "{table._meta.db_table}"' for table in LOG_TABLES)
    _execute(f"LOCK TABLE {parents} IN ACCESS EXCLUSIVE MODE")
    names = [partition_of(table, month) for table in LOG_TABLES]
    _execute("DROP TABLE IF EXISTS " + ", ".join(f'"{name}"' for name in names))
    log.info("PARTITION_DROPPED", partitions=names)
    return True


def _keep_writers_out() -> None:
    """Whoever writes into a run's log locks its run before: from here on nobody is halfway, and readers go on."""
    _execute(f'LOCK TABLE "{Run._meta.db_table}" IN EXCLUSIVE MODE')


def _execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
