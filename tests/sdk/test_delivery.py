"""Items reach the console in batches, in order, at least once; the agent never waits for it and never hears of it."""

import json
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from agentconsole.sdk import Console
from agentconsole.sdk.buffer import Buffer
from agentconsole.sdk.drops import Drops, run_of
from agentconsole.sdk.link import Link
from agentconsole.sdk.post import Fate, Receipt
from tests.sdk.conftest import QUICK
from tests.sdk.receiver import Answer, Receiver, wait_until

Logged = Callable[[], list[str]]


def events(console: Console, count: int, token: str = "NOTED") -> None:
    with console.run() as run:
        for number in range(count):
            run.event(token, number=number)


def numbers(receiver: Receiver) -> list[int]:
    return [item["fields"]["number"] for item in receiver.of("event") if "number" in item.get("fields", {})]


def first(count: int, answer: Answer) -> Callable[[list[dict[str, Any]]], Answer | None]:
    """The first requests get this answer, later ones are accepted."""
    left = [count]

    def respond(items: list[dict[str, Any]]) -> Answer | None:
        left[0] -= 1
        return answer if left[0] >= 0 else None

    return respond


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Outages last milliseconds here."""
    monkeypatch.setattr("agentconsole.sdk.link._BACKOFF", QUICK)
    monkeypatch.setattr("agentconsole.sdk.link._REFUSED_PAUSE_S", 0.02)


def test_items_arrive_by_themselves_within_moments(console: Console, receiver: Receiver):
    begun = time.monotonic()
    events(console, 3)
    wait_until(lambda: numbers(receiver) == [0, 1, 2])
    assert time.monotonic() - begun < 2


def test_a_batch_is_small_signed_and_compressed_where_it_pays(console: Console, receiver: Receiver):
    sizes: list[int] = []
    receiver.respond = lambda items: sizes.append(len(items))
    events(console, 2_000)
    assert console.flush()
    assert numbers(receiver) == list(range(2_000))
    assert max(sizes) <= 512
    request = max(receiver.requests, key=lambda request: request["bytes"])
    assert (request["path"], request["Authorization"]) == ("/api/v1/ingest", "Bearer cred_test")
    assert request["Content-Encoding"] == "gzip"


def test_a_batch_of_large_items_stays_under_four_megabytes(receiver: Receiver):
    buffer = Buffer(Drops())
    for _ in range(100):
        buffer.put(b"x" * 100_000)
    assert len(buffer.take()) == 40


def test_startup_tells_what_is_missing(console: Console, receiver: Receiver, logged: Logged):
    console.startup(expected=["jira", "wiki", "crm"], loaded=["wiki"], missing={"jira": "no token"}, version="1.2")
    console.flush()
    (item,) = receiver.of("agent.startup")
    assert item["missing"] == [{"name": "jira", "reason": "no token"}, {"name": "crm", "reason": "not loaded"}]
    assert (item["version"], item["sdk"]) == ("1.2", "agentconsole-python/0.1.0")
    assert "AGENT_DEGRADED" in logged()


@pytest.mark.parametrize("answer", [(503, {}, {}), (429, {"Retry-After": "0"}, {}), (500, {}, b"<html>")])
def test_a_console_that_is_away_gets_everything_later_in_order(
    console: Console, receiver: Receiver, logged: Logged, answer: Answer
):
    receiver.respond = first(3, answer)
    events(console, 5)
    wait_until(lambda: numbers(receiver) == [0, 1, 2, 3, 4])
    wait_until(lambda: "SDK_CONSOLE_BACK" in logged())
    assert (logged().count("SDK_CONSOLE_AWAY"), logged().count("SDK_CONSOLE_BACK")) == (1, 1)


def test_retry_after_is_respected(monkeypatch: pytest.MonkeyPatch):
    link = Link(clock=lambda: 100.0)
    link.lost(Receipt(Fate.AWAY, "HTTP 429", retry_after_s=17))
    assert link.due_in_s() == 17


def test_a_refused_credential_is_said_loudly_and_the_items_are_kept(
    console: Console, receiver: Receiver, logged: Logged
):
    receiver.respond = first(3, (401, {}, {"error": {"code": "unauthorized"}}))
    events(console, 2)
    wait_until(lambda: numbers(receiver) == [0, 1])
    assert logged().count("SDK_REFUSED") == 1


def test_a_sign_in_page_of_a_proxy_does_not_count_as_delivery(console: Console, receiver: Receiver, logged: Logged):
    receiver.respond = first(2, (200, {"Content-Type": "text/html"}, b"<html>sign in</html>"))
    events(console, 2)
    wait_until(lambda: numbers(receiver) == [0, 1])
    assert "SDK_REFUSED" in logged()


@pytest.mark.parametrize("status", [400, 413])
def test_a_poisonous_item_is_found_by_halving_dropped_and_told(
    console: Console, receiver: Receiver, logged: Logged, status: int
):
    def respond(items: list[dict[str, Any]]) -> Answer | None:
        return (status, {}, {}) if any(item.get("token") == "POISON" for item in items) else None

    receiver.respond = respond
    with console.run() as run:
        for number in range(100):
            run.event("POISON" if number == 37 else "NOTED", number=number)
    wait_until(lambda: "SDK_ITEMS_DROPPED" in receiver.tokens())
    assert numbers(receiver) == [number for number in range(100) if number != 37]
    (told,) = [item for item in receiver.of("event") if item["token"] == "SDK_ITEMS_DROPPED"]
    assert (told["run"], told["fields"]["items"]) == (run.run_id, 1)
    assert "SDK_ITEMS_DROPPED" in logged()


def test_items_that_the_console_refuses_one_by_one_are_said_and_not_sent_again(
    console: Console, receiver: Receiver, logged: Logged
):
    rejected = [{"index": 0, "id": "x", "code": "invalid", "message": "no such phase"}]
    receiver.respond = first(1, (200, {}, {"accepted": 0, "duplicates": 0, "rejected": rejected}))
    events(console, 1)
    assert console.flush()
    assert logged().count("SDK_ITEMS_REFUSED") == 1


def test_full_memory_drops_the_oldest_and_counts_them_by_run(logged: Logged):
    drops = Drops()
    buffer = Buffer(drops, max_items=3)
    items = [json.dumps({"type": "tick", "run": f"run-{number}"}).encode() for number in range(5)]
    for item in items:
        buffer.put(item)
    assert buffer.take() == items[2:]
    assert drops.take() == [("run-0", "memory is full", 1), ("run-1", "memory is full", 1)]
    assert logged().count("SDK_ITEMS_DROPPED") == 2


def test_full_memory_is_measured_in_bytes_too():
    drops = Drops()
    buffer = Buffer(drops, max_bytes=250)
    for _ in range(5):
        buffer.put(b"x" * 100)
    assert (len(buffer), drops.total) == (2, 3)


@pytest.mark.parametrize("item", [b"junk", b"[]", b'{"type": 7, "run": 9}', b"\xff", b"{}"])
def test_the_run_of_a_broken_item_is_unknown(item: bytes):
    assert run_of(item) == ""


def test_the_run_of_a_runs_own_items_is_their_id():
    assert run_of(b'{"type": "run.started", "id": "r", "run": "x"}') == "r"
    assert run_of(b'{"type": "span", "id": "s", "run": "r"}') == "r"


def test_recording_never_waits_for_a_console_that_hangs(console: Console, receiver: Receiver):
    release = threading.Event()

    def hang(items: list[dict[str, Any]]) -> None:
        release.wait(20)

    receiver.respond = hang
    begun = time.monotonic()
    events(console, 3_000)
    assert not console.flush(0.05)
    assert time.monotonic() - begun < 5
    release.set()
    assert console.flush(10)


def test_a_console_that_nobody_runs_does_not_disturb_the_agent(logged: Logged):
    with Console("http://127.0.0.1:9", "t", exit_deadline_s=0.1) as console:
        events(console, 10)
    assert {"SDK_CONSOLE_AWAY", "SDK_ITEMS_DROPPED", "SDK_FLUSH_INCOMPLETE"} <= set(logged())


def test_what_is_recorded_after_closing_is_counted_as_lost(receiver: Receiver, logged: Logged):
    console = Console(receiver.url, "t")
    console.close()
    events(console, 1)
    assert "SDK_ITEMS_DROPPED" in logged()


def test_a_fault_in_the_sender_is_said_and_the_next_items_arrive(
    console: Console, receiver: Receiver, logged: Logged, monkeypatch: pytest.MonkeyPatch
):
    from agentconsole.sdk import delivery

    monkeypatch.setattr(delivery, "FAULT_PAUSE_S", 0.01)
    monkeypatch.setattr(delivery, "_say_rejected", lambda _receipt: 1 / 0)
    events(console, 1)
    wait_until(lambda: "SDK_FAULT" in logged())
    monkeypatch.undo()
    events(console, 1)
    wait_until(lambda: len(numbers(receiver)) == 2)


@pytest.mark.parametrize(
    ("url", "token"),
    [("", "t"), ("http://console", ""), ("not a url", "t"), ("ftp://console", "t"), ("http://console:port", "t")],
)
def test_without_a_usable_console_it_is_off_says_so_once_and_works(url: str, token: str, logged: Logged):
    with Console.from_env({"CONSOLE_URL": url, "CONSOLE_TOKEN": token}) as console:
        console.startup(expected=["a"], loaded=["a"])
        with console.run() as run:
            assert run.call(lambda: 1, name="tool").data == 1
        assert console.flush()
    assert logged().count("SDK_OFF") == 1


def test_the_token_is_not_shown(receiver: Receiver):
    with Console(receiver.url, "cred_secret") as console:
        assert "cred_secret" not in repr(console)


def test_our_own_requests_are_not_in_the_agents_log(console: Console, receiver: Receiver, caplog):
    with caplog.at_level("INFO", logger="httpx"):
        events(console, 1)
        console.flush()
    assert [record for record in caplog.records if record.name == "httpx"] == []
