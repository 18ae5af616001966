"""What a database would do for a query, on tables too small for it to care."""

from typing import Any

from django.db import connection
from django.db.models import QuerySet


def plan_of(rows: QuerySet[Any]) -> str:
    """The plan. PostgreSQL is told to avoid whole tables and sorting where it can: what it still reads whole or sorts has no
    index. What it knows of the tables' sizes is what earlier tests left behind, and must not decide."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_bitmapscan = off")
            cursor.execute("SET LOCAL enable_sort = off")
    return rows.explain()
