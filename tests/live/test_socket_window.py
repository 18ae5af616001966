"""What a socket has not acknowledged is counted in bytes and seconds."""

import pytest

from agentconsole.live import socket as sockets
from agentconsole.live.socket import Socket


async def _taken(_value: object) -> None:
    pass


@pytest.fixture
def socket() -> Socket:
    return Socket(_taken, _taken)


async def test_has_no_room_once_the_window_is_full_and_room_again_after_an_ack(socket: Socket) -> None:
    had_room = [socket.has_room]
    await socket.send("x" * sockets.WINDOW_BYTES)
    had_room.append(socket.has_room)
    assert socket.ack(1)
    had_room.append(socket.has_room)
    assert had_room == [True, False, True]


async def test_an_ack_covers_all_frames_up_to_its_number_and_no_more(socket: Socket) -> None:
    for size in (1, 10, 100):
        await socket.send("x" * size)
    assert socket.ack(2)
    assert socket.unacked_bytes == 100
    assert socket.ack(1), "an old ack that comes late is harmless"
    assert socket.unacked_bytes == 100


@pytest.mark.parametrize("number", [-1, 2])
async def test_refuses_an_ack_of_frames_that_were_never_sent(socket: Socket, number: int) -> None:
    await socket.send("x")
    assert not socket.ack(number)
    assert socket.unacked_bytes == 1


async def test_is_overdue_by_its_oldest_frame(socket: Socket, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(sockets, "monotonic", lambda: now)
    was_overdue = [socket.is_overdue]
    await socket.send("x")
    now += sockets.ACK_WITHIN_S - 1
    await socket.send("y")
    was_overdue.append(socket.is_overdue)
    now += 2
    was_overdue.append(socket.is_overdue)
    socket.ack(1)
    was_overdue.append(socket.is_overdue)
    assert was_overdue == [False, False, True, False]


async def test_sends_nothing_after_it_was_closed() -> None:
    sent: list[str] = []
    codes: list[int] = []

    async def send(text: str) -> None:
        sent.append(text)

    async def close(code: int) -> None:
        codes.append(code)

    socket = Socket(send, close)
    await socket.close(4408)
    await socket.close(4401)
    await socket.send("late")
    assert (sent, codes) == ([], [4408])


async def test_one_that_can_not_be_sent_a_frame_is_told_to_come_back():
    codes: list[int] = []

    async def refuse(_text: str) -> None:
        raise ValueError

    async def close(code: int) -> None:
        codes.append(code)

    socket = Socket(refuse, close)
    await socket.send("x")
    await socket.send("y")
    assert (codes, socket.is_closed, socket.sent) == ([1012], True, 1)
