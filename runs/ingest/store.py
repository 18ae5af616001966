"""Set-based writes: one statement a table and batch, on SQLite and PostgreSQL alike.

`executemany` of one prepared statement stores more than twice the rows a second of Django's `bulk_create` on SQLite
(27,500 against 11,400 rows of 1.5 kB), since it builds neither model instances nor a statement for each batch size.
psycopg sends it as one pipeline. Rows are dictionaries of column names.
"""

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache
from operator import itemgetter
from typing import Any

from django.db import connection, models
from django.db.models import Field

Row = dict[str, Any]


def insert_new(model: type[models.Model], rows: Sequence[Row], *, key: tuple[str, ...]) -> int:
    """Insert rows and say how many; one whose key is there already is left as it is."""
    return _insert(model, rows, key, "DO NOTHING")


def insert_or_replace(model: type[models.Model], rows: Sequence[Row], *, key: tuple[str, ...]) -> None:
    """Insert rows; one whose key is there already takes the new values."""
    if rows:
        changed = ", ".join(f'"{column}" = EXCLUDED."{column}"' for column in rows[0] if column not in key)
        _insert(model, rows, key, f"DO UPDATE SET {changed}")


def update_each(model: type[models.Model], rows: Sequence[Row], *, key: str) -> None:
    """Give each row that `key` names its other columns."""
    if not rows:
        return
    columns = [column for column in rows[0] if column != key]
    changes = ", ".join(f'"{column}" = %s' for column in columns)
    statement = f'UPDATE "{model._meta.db_table}" SET {changes} WHERE "{key}" = %s'  # noqa: S608  names come from the model
    _execute(statement, model, (*columns, key), rows)


def _insert(model: type[models.Model], rows: Sequence[Row], key: tuple[str, ...], on_conflict: str) -> int:
    if not rows:
        return 0
    columns = tuple(rows[0])
    names = ", ".join(f'"{column}"' for column in columns)
    places = ", ".join(["%s"] * len(columns))
    keys = ", ".join(f'"{column}"' for column in key)
    statement = f'INSERT INTO "{model._meta.db_table}" ({names}) VALUES ({places}) ON CONFLICT ({keys}) {on_conflict}'  # noqa: S608
    return _execute(statement, model, columns, rows)


def _execute(statement: str, model: type[models.Model], columns: tuple[str, ...], rows: Sequence[Row]) -> int:
    pick = itemgetter(*columns)
    converters = [(at, convert) for at, column in enumerate(columns) if (convert := _converter(model, column))]
    values = []
    for row in rows:
        line = list(pick(row))
        for at, convert in converters:
            line[at] = convert(line[at])
        values.append(line)
    with connection.cursor() as cursor:
        cursor.executemany(statement, values)
        return int(cursor.rowcount)


def _converter(model: type[models.Model], column: str) -> Callable[[Any], Any] | None:
    """What turns a value into what the driver takes; None where it takes the value as it is.

    The same text and types as Django's fields store, without their generality: `get_db_prep_save` for each of a span's
    26 columns took longer than the insert itself.
    """
    return _converters(connection.vendor).get(_kind(model, column))


@cache
def _kind(model: type[models.Model], column: str) -> str:
    found: Field[Any, Any] = next(field for field in model._meta.concrete_fields if field.column == column)
    target = found.target_field if isinstance(found, models.ForeignKey) else found
    return target.get_internal_type()


_encode_json = json.JSONEncoder(ensure_ascii=True).encode


def _sqlite_time(at: datetime | None) -> str | None:
    """Rows hold times in UTC alone: the offset is cut off, as Django does it."""
    return None if at is None else at.isoformat(" ")[:-6]


def _sqlite_json(value: Any) -> str | None:
    if not value:
        return "{}" if value == {} else "[]" if value == [] else None
    return _encode_json(value)


@cache
def _converters(vendor: str) -> dict[str, Callable[[Any], Any]]:
    """By the kind of a field."""
    if vendor == "sqlite":
        return {"UUIDField": lambda value: value.hex, "DateTimeField": _sqlite_time, "JSONField": _sqlite_json}
    # Not above: 8 MB that the embedded console's processes have no use for.
    from psycopg.types.json import Jsonb

    return {"JSONField": lambda value: None if value is None else Jsonb(value)}
