"""Reads of the console's database as tools: read-only, and really ended when their hard budget is over."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import update_wrapper
from typing import Any, Generic, ParamSpec, TypeVar

from django.db import DatabaseError, connection, transaction

from agentconsole.sdk import ToolDegraded

P = ParamSpec("P")
T = TypeVar("T")


class Reading(Generic[P, T]):
    """Decorator of a function that reads the database. One call at a time.

    The SDK calls a tool in a thread of its own, so each call has a connection of its own and gives it back; `stop` is
    the SDK's way to end one from outside.
    """

    def __init__(self, read: Callable[P, T]) -> None:
        self._read = read
        self._driver: Any = None
        update_wrapper(self, read)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        """What it reads. ToolDegraded where the database refuses."""
        try:
            with _read_only():
                self._driver = connection.connection
                return self._read(*args, **kwargs)
        except DatabaseError as error:
            raise ToolDegraded(f"{type(error).__name__}: {error}") from error
        finally:
            self._driver = None
            connection.close()

    def stop(self) -> None:
        """End the statement that is going on. One that has just ended by itself is left in peace."""
        driver = self._driver
        if driver is not None:
            with suppress(connection.Database.Error):  # type: ignore[attr-defined]  # the stubs leave the driver's module out
                (driver.interrupt if connection.vendor == "sqlite" else driver.cancel_safe)()


@contextmanager
def _read_only() -> Iterator[None]:
    if connection.vendor == "postgresql":
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION READ ONLY")
            yield
    else:
        # No transaction here: the console's begin IMMEDIATE, and a reader must not keep writers waiting.
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA query_only = ON")
        yield
