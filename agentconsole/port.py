"""Closing a port without losing a connection: the kernel resets those that nobody has taken yet."""

import ctypes
import select
import socket
import struct
import sys
from collections.abc import Callable

_SO_ATTACH_FILTER = 26
_FLAGS_AT = 13
_SYN, _ACK = 0x02, 0x10
# Of a segment that comes to a listening socket, drop it if it begins a connection, else let all of it pass.
_DROP_SYN = (
    (0x30, 0, 0, _FLAGS_AT),  # load the byte of the flags
    (0x54, 0, 0, _SYN | _ACK),
    (0x15, 0, 1, _SYN),  # SYN without ACK?
    (0x06, 0, 0, 0),
    (0x06, 0, 0, 0xFFFFFFFF),
)


def refuse_newcomers(listening: socket.socket) -> bool:
    """Have the kernel overlook whoever begins to connect from now on; whether it does.

    They try again by themselves after a second, and then find the port closed. Closing a port that still takes connections
    would reset whoever came between the last look into its queue and the end. Linux alone can do it; elsewhere that gap,
    some microseconds, stays.
    """
    if sys.platform != "linux":
        return False
    instructions = b"".join(struct.pack("HBBI", *instruction) for instruction in _DROP_SYN)
    kept = ctypes.create_string_buffer(instructions, len(instructions))
    try:
        listening.setsockopt(
            socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HP", len(_DROP_SYN), ctypes.addressof(kept))
        )
    except OSError:
        return False
    return True


def take_queued(listening: socket.socket, take: Callable[[], object], *, most: int = 4096) -> None:
    """Call `take`, which accepts some connections, until the queue is empty."""
    poll = select.poll()
    poll.register(listening, select.POLLIN)
    for _ in range(most):
        if not poll.poll(0):
            return
        take()
