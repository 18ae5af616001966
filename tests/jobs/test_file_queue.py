"""The embedded queue: a message is in it whole or not at all, and what can't be read does not hold up the rest."""

import errno
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kombu import Connection
from kombu.exceptions import ChannelError

from agentconsole import celery as _celery  # noqa: F401  it chooses the transport


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    messages = tmp_path / "messages"
    messages.mkdir()
    return messages


@pytest.fixture
def connection(folder: Path) -> Iterator[Connection]:
    options = {"data_folder_in": str(folder), "data_folder_out": str(folder), "control_folder": str(folder / "control")}
    with Connection("filesystem://localhost", transport_options=options) as connection:
        yield connection


def test_an_unreadable_message_does_not_hold_up_the_next(connection: Connection, folder: Path, logged: Any):
    with connection.SimpleQueue("work") as queue:
        # Both before ours, whose name begins with milliseconds since the machine started: never with a nought.
        (folder / "0_half.work.msg").write_text('{"body": "aGFs', encoding="utf-8")
        (folder / "0_none.work.msg").touch()
        queue.put({"number": 1})
        assert queue.get(timeout=5).payload == {"number": 1}
    assert len(logged("MESSAGE_UNREADABLE")) == 2


def test_what_does_not_fit_on_the_disk_leaves_nothing(
    connection: Connection, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    def full(path: Path, text: str, **more: Any) -> int:
        path.touch()
        raise OSError(errno.ENOSPC, "No space left on device")

    # Another name: kombu keeps in its process which queues it has declared.
    with connection.SimpleQueue("full") as queue:
        monkeypatch.setattr(Path, "write_text", full)
        with pytest.raises(ChannelError, match="No space left on device"):
            queue.put({"number": 1})
    assert not [*folder.glob("*.msg"), *folder.glob("*.part")]
