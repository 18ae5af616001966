"""What processes that a test starts share with each other, and with no other test's: a database, and keys in Redis."""

import os
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit, urlunsplit

import psycopg
import redis


@contextmanager
def own_services() -> Iterator[dict[str, str]]:
    """The variables that lead a console to services of its own; what is in them goes away afterwards.

    The embedded console needs none. On PostgreSQL each gets a database, on Redis a prefix: workers of another test's
    console would take its tasks.
    """
    with ExitStack() as stack:
        variables: dict[str, str] = {}
        if os.environ.get("DATABASE_URL", "").startswith(("postgres:", "postgresql:")):
            variables["DATABASE_URL"] = stack.enter_context(_own_database(os.environ["DATABASE_URL"]))
        if os.environ.get("REDIS_URL"):
            variables["REDIS_PREFIX"] = stack.enter_context(_own_prefix(os.environ["REDIS_URL"]))
        yield variables


@contextmanager
def _own_database(url: str) -> Iterator[str]:
    name = f"test_agentconsole_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"')
        try:
            yield urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
        finally:
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@contextmanager
def _own_prefix(url: str) -> Iterator[str]:
    prefix = f"test-{uuid.uuid4().hex[:12]}"
    try:
        yield prefix
    finally:
        with redis.Redis.from_url(url) as server:
            for key in server.scan_iter(f"*{prefix}*"):
                server.delete(key)
