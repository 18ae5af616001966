"""An agent declares what it needs, proves it, and the console hears of each turn."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from agentconsole.sdk import Console
from tests.sdk.receiver import Receiver, wait_until

NEVER = 600.0


def last(receiver: Receiver) -> dict[str, Any]:
    beats = receiver.of("agent.beat")
    return max(beats, key=lambda beat: beat["number"]) if beats else {"components": [], "number": 0}


def parts(receiver: Receiver) -> dict[str, tuple[bool, str]]:
    """Of each component in the last beat: whether it was ever proven, and what is wrong."""
    return {part["name"]: (part["age_s"] is not None, part["failure"]) for part in last(receiver)["components"]}


@pytest.fixture
def slow(receiver: Receiver) -> Iterator[Console]:
    """A console object that beats of its own accord almost never: what comes, comes for a reason."""
    with Console(receiver.url, "cred", exit_deadline_s=2, beat_s=NEVER) as console:
        yield console


def test_declared_is_not_proven(slow: Console, receiver: Receiver):
    slack = slow.component("slack thread", lease_s=30)
    wait_until(lambda: parts(receiver) == {"slack thread": (False, "")})
    slack.beat("as U123")
    wait_until(lambda: parts(receiver) == {"slack thread": (True, "")})
    slack.failed("socket closed")
    wait_until(lambda: parts(receiver) == {"slack thread": (True, "socket closed")})
    slack.beat()
    wait_until(lambda: parts(receiver) == {"slack thread": (True, "")})


def test_proofs_in_a_loop_cost_no_items(slow: Console, receiver: Receiver):
    slack = slow.component("slack thread")
    for _ in range(20_000):
        slack.beat("again")
    wait_until(lambda: parts(receiver) == {"slack thread": (True, "")})
    assert last(receiver)["number"] < 5


def test_it_beats_while_nothing_happens(receiver: Receiver):
    with Console(receiver.url, "cred", exit_deadline_s=2, beat_s=0.1) as console:
        console.startup()
        wait_until(lambda: last(receiver)["number"] >= 3)
        assert last(receiver)["lease_s"] == pytest.approx(0.3)


def test_an_agent_that_declares_nothing_sends_no_beat(receiver: Receiver):
    with Console(receiver.url, "cred", exit_deadline_s=2, beat_s=0.01) as console, console.run():
        pass
    assert not receiver.of("agent.beat")


def test_the_end_says_goodbye_last(slow: Console, receiver: Receiver):
    slow.startup()
    wait_until(lambda: receiver.of("agent.beat"))
    slow.close()
    slow.close()
    assert [beat["ended"] for beat in sorted(receiver.of("agent.beat"), key=lambda beat: beat["number"])] == [
        False,
        True,
    ]


def answers() -> str:
    return "hello"


async def answers_later() -> None:
    await asyncio.sleep(0)


def says_no() -> bool:
    return False


def breaks() -> None:
    raise ConnectionError("refused")


async def breaks_later() -> None:
    raise ConnectionError("refused")


@pytest.mark.parametrize(
    ("check", "found"),
    [
        (answers, (True, "")),
        (answers_later, (True, "")),
        (says_no, (False, "its check said no")),
        (breaks, (False, "ConnectionError: refused")),
        (breaks_later, (False, "ConnectionError: refused")),
    ],
)
def test_a_check_proves_or_says_what_it_found(check: Callable[[], Any], found: Any, slow: Console, receiver: Receiver):
    slow.component("gateway", check=check, every_s=5)
    wait_until(lambda: parts(receiver) == {"gateway": found})


def test_a_check_that_hangs_fails_and_holds_nothing_up(slow: Console, receiver: Receiver):
    go_on, began = threading.Event(), []

    def hangs() -> None:
        began.append(1)
        go_on.wait(20)

    slow.component("hangs", check=hangs, lease_s=1, every_s=0.05, timeout_s=0.1)
    slow.component("well", check=answers)
    wait_until(lambda: parts(receiver) == {"hangs": (False, "no answer within 0.1 s"), "well": (True, "")})
    assert began == [1]
    go_on.set()
    wait_until(lambda: parts(receiver)["hangs"] == (True, ""))


def test_a_component_is_beaten_from_a_loop_and_from_threads(slow: Console, receiver: Receiver):
    slack, wiki = slow.component("slack"), slow.component("wiki")

    async def beat() -> None:
        slack.beat()

    asyncio.run(beat())
    thread = threading.Thread(target=wiki.beat)
    thread.start()
    thread.join()
    wait_until(lambda: parts(receiver) == {"slack": (True, ""), "wiki": (True, "")})


def test_short_runs_between_two_beats_are_not_idleness(receiver: Receiver):
    with Console(receiver.url, "cred", exit_deadline_s=2, beat_s=0.2) as console:
        console.startup()
        with console.run():
            pass
        with console.run():
            pass
        # In one beat, or in the two that a beat between them makes.
        wait_until(lambda: sum(beat["runs"] for beat in receiver.of("agent.beat")) >= 2)
        wait_until(lambda: last(receiver)["runs"] == 0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "x" * 65},
        {"name": "a\nb"},
        {"name": "a\u202eb"},
        {"lease_s": 0},
        {"lease_s": 90_000},
        {"every_s": 30},
        {"every_s": 0},
        {"timeout_s": 0},
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_at_once(wrong: dict[str, Any], off: Console):
    with pytest.raises(ValueError, match=r"needs|name"):
        off.component(**{"name": "slack", **wrong})


def test_a_name_is_taken_once_and_the_number_has_a_bound(off: Console):
    for number in range(32):
        off.component(f"part {number}")
    with pytest.raises(ValueError, match="at most 32"):
        off.component("one more")
    with Console() as other:
        other.component("slack")
        with pytest.raises(ValueError, match="declared before"):
            other.component("slack")


def test_without_a_console_components_work_and_nothing_is_checked(off: Console):
    called: list[int] = []
    slack = off.component("slack", check=lambda: called.append(1))
    slack.beat()
    slack.failed("no")
    off.close()
    assert called == []


def test_secrets_stay_in_the_process(slow: Console, receiver: Receiver):
    slow.component("gateway").failed("Authorization: Bearer abcdefghijklmnopqrstuvwxyz0123456789")
    wait_until(lambda: parts(receiver))
    assert "abcdefghijklmnop" not in str(receiver.of("agent.beat"))


def test_an_outage_does_not_pile_up_beats(receiver: Receiver):
    receiver.respond = lambda _items: (503, {}, {})
    with Console(receiver.url, "cred", exit_deadline_s=2, beat_s=0.02) as console:
        console.startup()
        wait_until(lambda: len(receiver.requests) >= 2)
        receiver.respond = lambda _items: None
        wait_until(lambda: receiver.of("agent.beat"), within_s=20)
        wait_until(lambda: last(receiver)["number"] > receiver.of("agent.beat")[0]["number"] + 2)
        # Numbers are given to what is sent: those that were not worth keeping have none.
        assert receiver.of("agent.beat")[0]["number"] <= 2
