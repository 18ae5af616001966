"""A port is closed without a reset for those who had connected."""

import socket
import sys

import pytest

from agentconsole.management.listening import listen
from agentconsole.port import refuse_newcomers, take_queued


def test_newcomers_are_overlooked_and_those_who_wait_are_taken():
    taken: list[socket.socket] = []
    with listen("127.0.0.1", 0) as listening:
        address = listening.getsockname()
        early = [socket.create_connection(address) for _ in range(30)]
        assert refuse_newcomers(listening) == (sys.platform == "linux")
        if sys.platform == "linux":
            with pytest.raises(TimeoutError):
                socket.create_connection(address, timeout=0.2)
        take_queued(listening, lambda: taken.append(listening.accept()[0]))
    for here, there in zip(early, taken, strict=True):
        here.sendall(b"x")
        assert there.recv(1) == b"x"
        here.close()
        there.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address, timeout=2)


def test_a_queue_that_is_fed_all_the_time_is_left_in_the_end():
    with listen("127.0.0.1", 0) as listening, socket.create_connection(listening.getsockname()):
        looks = []
        take_queued(listening, lambda: looks.append(1), most=5)
    assert looks == [1] * 5
