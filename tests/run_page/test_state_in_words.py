"""A run is running, quiet, stalled, waiting or ended, by what it last showed; never "running" for ever."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from runs.models import Run, RunStatus
from runs.timeline.state import deadline_of, state_of, stretch_of

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


def a_run(**fields: Any) -> Run:
    seen = fields.pop("silent_s", 1)
    defaults = {
        "status": RunStatus.RUNNING,
        "heartbeat_s": 10,
        "lease_s": 60,
        "started_at": NOW - timedelta(seconds=90),
    }
    return Run(last_seen_at=NOW - timedelta(seconds=seen), **{**defaults, **fields})


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"silent_s": 14}, "running"),
        ({"silent_s": 16}, "quiet"),
        ({"silent_s": 61}, "stalled"),
        ({"silent_s": 1, "status": RunStatus.STALLED}, "stalled"),
        ({"silent_s": 30, "status": RunStatus.WAITING}, "waiting"),
        ({"silent_s": 9999, "status": RunStatus.WAITING}, "waiting"),
        ({"silent_s": 9999, "status": RunStatus.SUCCEEDED}, "succeeded"),
    ],
)
def test_the_word_follows_the_last_sign_of_life(fields, word):
    assert state_of(a_run(**fields), NOW).word == word


def test_silence_is_told_with_its_length_and_its_limit():
    assert state_of(a_run(silent_s=75), NOW).sentence == "no sign of life for 1 min 15 s; its lease is 1 min"
    assert state_of(a_run(silent_s=20), NOW).sentence == "no sign of life for 20 s; a tick is due every 10 s"


@pytest.mark.parametrize(
    ("tools", "sentence"),
    [
        ({"ok": 2, "slow": 1, "empty": 1, "rejected": 1}, ""),
        ({"ok": 2, "error": 1}, "with 1 failed tool call"),
        ({"auth_failed": 1, "timeout": 1, "degraded": 1}, "with 3 failed tool calls"),
    ],
)
def test_a_run_that_succeeded_with_failed_calls_says_so(tools, sentence):
    assert state_of(a_run(status=RunStatus.SUCCEEDED, tools=tools), NOW).sentence == sentence


def test_a_live_run_reaches_to_now_by_the_agents_clock():
    stretch = stretch_of(a_run(clock_skew_ms=5000), NOW)
    assert (stretch.end, stretch.is_live) == (NOW + timedelta(seconds=5), True)


def test_a_stalled_run_reaches_to_its_last_sign_of_life():
    stretch = stretch_of(a_run(silent_s=40, status=RunStatus.STALLED), NOW)
    assert (stretch.end, stretch.is_live) == (NOW - timedelta(seconds=40), False)


def test_a_run_that_ended_before_it_began_has_no_negative_length():
    ended = a_run(status=RunStatus.FAILED, ended_at=NOW - timedelta(seconds=100))
    assert stretch_of(ended, NOW).length == timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("fields", "text", "is_over"),
    [
        ({}, "12 s left", False),
        ({"deadline_at": NOW - timedelta(seconds=12)}, "passed 12 s ago", True),
        ({"status": RunStatus.SUCCEEDED, "ended_at": NOW}, "met with 12 s to spare", False),
        ({"status": RunStatus.FAILED, "ended_at": NOW + timedelta(seconds=20)}, "missed by 8.0 s", True),
    ],
)
def test_a_deadline_is_told_by_how_it_stands(fields, text, is_over):
    deadline = deadline_of(a_run(**{"deadline_at": NOW + timedelta(seconds=12), **fields}), NOW)
    assert deadline is not None
    assert (deadline.text, deadline.is_over) == (text, is_over)


def test_a_run_without_deadline_has_none():
    assert deadline_of(a_run(), NOW) is None
