"""What a dependency raised is told without a secret, however it is quoted."""

import sqlite3

import psycopg
import pytest
import redis
from django.db import OperationalError

from agentconsole.faults import LONGEST, fault_words

SECRET = "hunter2 and more"


@pytest.mark.parametrize(
    "error",
    [
        redis.ConnectionError("Error 111 connecting to redis://:hunter2@cache:6379/0."),
        redis.AuthenticationError("invalid rediss://user:hun@ter2/x@cache:6379/0"),
        psycopg.OperationalError("could not parse postgresql://dana:hunter2@db:5432/console?x=1"),
        psycopg.OperationalError("host=db password='hunter2 and more' dbname=console"),
        OperationalError("connection failed: host=db password=hunter2 user=dana"),
        ConnectionRefusedError("amqp://guest:hunter2@queue:5672//"),
        ValueError("Port could not be cast to integer value as 'hunter2'"),
        KeyError("hunter2"),
    ],
)
def test_no_password_is_told(error: Exception):
    words = fault_words(error)
    assert words.startswith(type(error).__name__)
    for part in ("hunter2", "ter2", "and more", "dana:", "guest:"):
        assert part not in words


def test_what_the_settings_hold_is_taken_out_by_its_text(settings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(settings.DATABASES["default"], "PASSWORD", "s3same!open")
    settings.REDIS_URL = "redis://:p%40ss-w0rd@cache:6379/0"
    words = fault_words(redis.ResponseError("WRONGPASS s3same!open p@ss-w0rd p%40ss-w0rd"))
    assert words == "ResponseError: WRONGPASS [REDACTED:configured] [REDACTED:configured] [REDACTED:configured]"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OperationalError("database is locked"), "OperationalError: database is locked"),
        (sqlite3.OperationalError("disk I/O error"), "OperationalError: disk I/O error"),
        (ConnectionRefusedError(111, "Connection refused"), "ConnectionRefusedError: [Errno 111] Connection refused"),
        (TimeoutError(), "TimeoutError"),
        (RuntimeError("anything at all"), "RuntimeError"),
        (OperationalError("two\n  lines"), "OperationalError: two lines"),
    ],
)
def test_what_is_safe_is_told_in_one_line(error: Exception, words: str):
    assert fault_words(error) == words


def test_a_long_message_is_cut():
    assert len(fault_words(OperationalError("x" * 1000))) == LONGEST
