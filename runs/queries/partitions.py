"""The partitions of a run's log on PostgreSQL: which there are, and what lies in none of them."""

from datetime import datetime

from django.db import connection, models

from runs.models import LOG_TABLES
from runs.months import Month

MONTHS_AHEAD = 2
STRAYS_COUNTED = 1_000


def has_partitions() -> bool:
    """Whether this console's database keeps the log by month. SQLite has one table of each kind."""
    return connection.vendor == "postgresql"


def partition_of(table: type[models.Model], month: Month) -> str:
    """The name of a table's partition of a month."""
    return f"{table._meta.db_table}_{month}"


def default_of(table: type[models.Model]) -> str:
    """The name of the partition that takes what belongs to no month that there is: nothing is ever refused."""
    return f"{table._meta.db_table}_default"


def months_of(table: type[models.Model]) -> set[Month]:
    """The months that a table has partitions of. One query."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT part.relname FROM pg_inherits JOIN pg_class part ON part.oid = inhrelid"
            " WHERE inhparent = %s::regclass",
            [table._meta.db_table],
        )
        return {month for (name,) in cursor.fetchall() if (month := Month.told_by(name))}


def missing_partitions(now: datetime) -> list[tuple[type[models.Model], Month]]:
    """What this month and the next MONTHS_AHEAD lack, the earliest first. Three queries."""
    months = [Month.of(now)]
    while len(months) <= MONTHS_AHEAD:
        months.append(months[-1].following)
    known = {table: months_of(table) for table in LOG_TABLES}
    return [(table, month) for month in months for table in LOG_TABLES if month not in known[table]]


def unpartitioned_rows() -> dict[str, int]:
    """By table, the rows in its default partition, up to STRAYS_COUNTED; nothing without partitions. Three queries."""
    return {table._meta.db_table: strays(table) for table in LOG_TABLES} if has_partitions() else {}


def strays(table: type[models.Model], *, month: Month | None = None, upto: int = STRAYS_COUNTED) -> int:
    """Rows in a table's default partition, of all runs or those that began in a month; counted up to `upto`. One query."""
    where, bounds = "", []
    if month is not None:
        where, bounds = "WHERE run_id >= %s AND run_id < %s", [month.first_id, month.end_id]
    with connection.cursor() as cursor:
        cursor.execute(
            f'SELECT count(*) FROM (SELECT FROM "{default_of(table)}" {where} LIMIT %s) counted',  # noqa: S608  a table of ours
            [*bounds, upto],
        )
        return int(cursor.fetchone()[0])
