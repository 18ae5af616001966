"""Identifiers: what they look like, how to make them, how to tell a sane one."""

import re
import secrets
import threading
import time
import uuid
from datetime import datetime

REQUEST_ID_MAX = 128
_REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+=-]{0,127}")
_SPAN_ID = re.compile(r"[0-9a-f]{16}")
_TRACE_ID = re.compile(r"[0-9a-f]{32}")
# Later versions may say more than version 00 does (W3C Trace Context, section 3.2.4); ff is forbidden.
_TRACEPARENT = re.compile(r"(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?")
_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"

_COUNTER_MAX = 0xFFF
_lock = threading.Lock()
_last = [0, 0]  # milliseconds, counter


def uuid7() -> uuid.UUID:
    """A UUIDv7 (RFC 9562, method 1): 48 bits of Unix milliseconds, then a counter, then randomness.

    Within a process each id is greater than the one before, also when the clock steps back.
    """
    with _lock:
        now, counter = time.time_ns() // 1_000_000, secrets.randbits(11)
        last_ms, last_counter = _last
        if now <= last_ms:
            now, counter = (last_ms, last_counter + 1) if last_counter < _COUNTER_MAX else (last_ms + 1, counter)
        _last[:] = now, counter
    value = (now & 0xFFFF_FFFF_FFFF) << 80 | 0x7 << 76 | counter << 64 | 0b10 << 62 | secrets.randbits(62)
    return uuid.UUID(int=value)


def first_uuid7(at: datetime) -> uuid.UUID:
    """The least UUIDv7 of a time: none that is made then or later is less."""
    return uuid.UUID(int=int(at.timestamp() * 1000) << 80)


def uuid7_of(at: datetime, digest: bytes = b"") -> uuid.UUID:
    """A UUIDv7 of a time: of 16 bytes of a digest the same each time, without one another each time."""
    rest = int.from_bytes(digest[:16]) if digest else secrets.randbits(128)
    milliseconds = int(at.timestamp() * 1000) & 0xFFFF_FFFF_FFFF
    return uuid.UUID(
        int=milliseconds << 80 | 0x7 << 76 | (rest >> 64 & 0xFFF) << 64 | 0b10 << 62 | rest & (1 << 62) - 1
    )


def new_request_id() -> str:
    """`req_` and 26 characters of Crockford base 32 over a UUIDv7: sorts by time, and can be said on the phone."""
    number = uuid7().int
    return "req_" + "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))


def new_span_id() -> str:
    """16 random hex digits, not all zero (W3C Trace Context, section 3.2.2.4)."""
    return f"{secrets.randbits(64) or 1:016x}"


def new_trace_id() -> str:
    """32 random hex digits, not all zero (W3C Trace Context, section 3.2.2.3)."""
    return f"{secrets.randbits(128) or 1:032x}"


def is_request_id(text: str) -> bool:
    """Whether text can be taken over as a request id: 1 to 128 of `A-Za-z0-9._:/@+=-`, starting with a letter or digit."""
    return _REQUEST_ID.fullmatch(text) is not None


def is_span_id(text: str) -> bool:
    """Whether text is 16 lower-case hex digits, not all zero."""
    return _SPAN_ID.fullmatch(text) is not None and text != "0" * 16


def is_trace_id(text: str) -> bool:
    """Whether text is 32 lower-case hex digits, not all zero."""
    return _TRACE_ID.fullmatch(text) is not None and text != "0" * 32


def parse_traceparent(header: str) -> tuple[str, str] | None:
    """(trace id, parent span id) of a W3C `traceparent` header, or None if it is not a valid one."""
    found = _TRACEPARENT.fullmatch(header.strip())
    if found is None or not is_trace_id(found[2]) or not is_span_id(found[3]) or (found[1] == "00" and found[4]):
        return None
    return found[2], found[3]
