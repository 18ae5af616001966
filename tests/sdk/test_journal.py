"""On disk, items wait for the console in order, within bounds, and whoever comes next delivers what a dead process left."""

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agentconsole.sdk import Console
from agentconsole.sdk.drops import Drops
from agentconsole.sdk.journal import Journal
from tests.sdk.conftest import QUICK
from tests.sdk.receiver import Answer, Receiver, wait_until
from tests.sdk.test_delivery import events, first, numbers

Logged = Callable[[], list[str]]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agentconsole.sdk.link._BACKOFF", QUICK)


@pytest.fixture
def drops() -> Drops:
    return Drops()


def items(start: int, stop: int) -> list[bytes]:
    return [b'{"type":"tick","run":"r","n":%d}' % number for number in range(start, stop)]


def read_all(journal: Journal) -> list[bytes]:
    read: list[bytes] = []
    while batch := journal.peek():
        read += batch
        journal.settle(len(batch))
    return read


def files(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file()]


def test_what_was_appended_is_read_in_order_and_then_gone(tmp_path: Path, drops: Drops):
    journal = Journal(tmp_path, drops)
    for start in range(0, 2_000, 100):
        journal.append(items(start, start + 100))
    assert read_all(journal) == items(0, 2_000)
    journal.close()
    assert list(tmp_path.iterdir()) == []


def test_what_is_appended_while_reading_comes_after(tmp_path: Path, drops: Drops):
    journal = Journal(tmp_path, drops)
    journal.append(items(0, 3))
    journal.settle(len(journal.peek()) - 1)
    journal.append(items(3, 5))
    assert read_all(journal) == items(2, 5)


def test_a_process_that_ended_leaves_its_items_to_the_next(tmp_path: Path, drops: Drops):
    earlier = Journal(tmp_path, drops)
    earlier.append(items(0, 10))
    earlier.settle(len(earlier.peek()[:4]))
    earlier.close()
    assert read_all(Journal(tmp_path, drops))[-6:] == items(4, 10)


def test_a_living_processs_items_are_left_alone(tmp_path: Path, drops: Drops):
    living = Journal(tmp_path, drops)
    living.append(items(0, 3))
    other = Journal(tmp_path, drops)
    other.append(items(3, 5))
    assert read_all(other) == items(3, 5)
    assert read_all(living) == items(0, 3)


def test_of_many_that_find_an_orphan_one_gets_it(tmp_path: Path, drops: Drops):
    orphan = Journal(tmp_path, drops)
    orphan.append(items(0, 100))
    orphan.close()
    start = threading.Barrier(8)
    found: list[list[bytes]] = []

    def adopt() -> None:
        start.wait()
        journal = Journal(tmp_path, drops)
        found.append(read_all(journal))
        journal.close()

    threads = [threading.Thread(target=adopt) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(len, found)) == [0] * 7 + [100]
    assert list(tmp_path.iterdir()) == []


def test_a_line_torn_by_its_writers_death_is_left_out(tmp_path: Path, drops: Drops):
    journal = Journal(tmp_path, drops)
    journal.append(items(0, 3))
    journal.close()
    (segment,) = [path for path in files(tmp_path) if path.suffix == ".ndjson"]
    segment.write_bytes(segment.read_bytes()[:-5])
    assert read_all(Journal(tmp_path, drops)) == items(0, 2)


def test_over_its_size_the_oldest_go_and_are_counted(tmp_path: Path, drops: Drops, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("agentconsole.sdk.journal.SEGMENT_BYTES", 1_000)
    journal = Journal(tmp_path, drops, max_bytes=10_000)
    for start in range(0, 1_000, 10):
        journal.append(items(start, start + 10))
    assert sum(path.stat().st_size for path in files(tmp_path)) <= 10_000
    left = read_all(journal)
    assert left == items(1_000 - len(left), 1_000)
    assert drops.total == 1_000 - len(left) > 0


def test_an_orphan_goes_before_our_own_items_do(tmp_path: Path, drops: Drops):
    orphan = Journal(tmp_path, drops)
    orphan.append(items(0, 200))
    orphan.close()
    journal = Journal(tmp_path, drops, max_bytes=8_000)
    journal.append(items(200, 300))
    assert read_all(journal) == items(200, 300)
    assert drops.total == 200


def test_where_only_the_living_fill_it_new_items_are_dropped_and_counted(tmp_path: Path, drops: Drops):
    living = Journal(tmp_path, drops)
    living.append(items(0, 200))
    journal = Journal(tmp_path, drops, max_bytes=2_000)
    journal.append(items(200, 210))
    assert (read_all(journal), drops.total) == ([], 10)
    assert read_all(living) == items(0, 200)


def test_only_its_owner_may_read_it(tmp_path: Path, drops: Drops):
    journal = Journal(tmp_path / "journal", drops)
    journal.append(items(0, 1))
    assert {path.stat().st_mode & 0o077 for path in (tmp_path / "journal").rglob("*")} == {0}
    assert (tmp_path / "journal").stat().st_mode & 0o077 == 0


def test_a_directory_that_holds_other_things_keeps_them(tmp_path: Path, drops: Drops):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "lock").touch()
    (tmp_path / "notes.ndjson").touch()
    journal = Journal(tmp_path, drops)
    journal.append(items(0, 1))
    read_all(journal)
    journal.close()
    assert {path.name for path in files(tmp_path)} == {"lock", "notes.ndjson"}


def test_while_the_console_is_away_items_wait_on_disk_and_then_arrive_in_order(
    receiver: Receiver, tmp_path: Path, logged: Logged
):
    is_away = True

    def respond(_items: list[dict[str, Any]]) -> Answer | None:
        return (503, {}, {}) if is_away else None

    receiver.respond = respond
    with Console(receiver.url, "t", journal_dir=tmp_path) as console:
        events(console, 600)
        wait_until(lambda: sum(path.read_bytes().count(b"\n") for path in files(tmp_path)) >= 600)
        events(console, 600)
        is_away = False
        assert console.flush(10)
    assert numbers(receiver) == list(range(600)) * 2
    assert list(tmp_path.iterdir()) == []
    assert "SDK_ITEMS_DROPPED" not in logged()


def test_a_process_that_ends_while_the_console_is_away_does_not_wait_and_the_next_delivers(
    receiver: Receiver, tmp_path: Path, logged: Logged
):
    receiver.respond = lambda _items: (503, {}, {})
    with Console(receiver.url, "t", journal_dir=tmp_path, exit_deadline_s=30) as console:
        events(console, 10)
    assert "SDK_FLUSH_INCOMPLETE" in logged()
    receiver.respond = lambda _items: None
    with Console(receiver.url, "t", journal_dir=tmp_path):
        wait_until(lambda: numbers(receiver) == list(range(10)))


def test_items_of_a_refused_credential_wait_for_the_right_one(receiver: Receiver, tmp_path: Path):
    receiver.respond = first(1_000, (403, {}, {}))
    with Console(receiver.url, "wrong", journal_dir=tmp_path) as console:
        events(console, 3)
    receiver.respond = lambda _items: None
    with Console(receiver.url, "right", journal_dir=tmp_path):
        wait_until(lambda: numbers(receiver) == [0, 1, 2])


def test_a_directory_that_cannot_be_used_is_said_and_memory_serves(receiver: Receiver, tmp_path: Path, logged: Logged):
    (tmp_path / "file").touch()
    with Console(receiver.url, "t", journal_dir=tmp_path / "file") as console:
        events(console, 3)
        assert console.flush()
    assert "SDK_JOURNAL_FAILED" in logged()
    assert numbers(receiver) == [0, 1, 2]


def test_a_disk_that_fails_later_is_said_and_memory_serves(
    receiver: Receiver, tmp_path: Path, logged: Logged, monkeypatch: pytest.MonkeyPatch
):
    def full(*_args: object) -> int:
        raise OSError(28, "no space left on device")

    receiver.respond = first(2, (503, {}, {}))
    with Console(receiver.url, "t", journal_dir=tmp_path) as console:
        monkeypatch.setattr(os, "write", full)
        events(console, 3)
        wait_until(lambda: numbers(receiver) == [0, 1, 2])
        monkeypatch.undo()
    assert "SDK_JOURNAL_FAILED" in logged()
