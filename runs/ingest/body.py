"""From the bytes of a request to a list of raw items, within fixed bounds of memory."""

import json
import threading
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import zstandard
from pydantic_core import from_json

from runs.ingest.errors import BodyTooLargeError, MalformedBodyError, NotAnObjectError, UnsupportedEncodingError

MAX_ITEMS = 5_000
# What RFC 9659 allows on the web; a frame may ask for gigabytes.
_ZSTD_WINDOW = 8 * 1024 * 1024
_ZSTD_PIECE = 256
_one_at_a_time = threading.Lock()
_NDJSON = ("application/x-ndjson", "application/jsonl", "application/x-jsonlines")


@dataclass(frozen=True, slots=True)
class Batch:
    """The raw items of a body (a NotAnObjectError in the place of a line that could not be read), and its `sent_at` if it gave one."""

    items: list[Any]
    sent_at: str | None = None


def read_batch(body: bytes, *, content_type: str, content_encoding: str, max_bytes: int) -> Batch:
    """The items of an ingest body. MalformedBodyError, UnsupportedEncodingError, BodyTooLargeError."""
    plain = expand(body, content_encoding, max_bytes=max_bytes)
    if content_type.partition(";")[0].strip().lower() in _NDJSON:
        batch = Batch([read_line(line) for line in plain.split(b"\n", MAX_ITEMS + 1) if line.strip()])
    else:
        batch = _from_document(read_json(plain))
    if len(batch.items) > MAX_ITEMS:
        raise BodyTooLargeError(f"More than {MAX_ITEMS} items in one batch. Send smaller batches.")
    return batch


def expand(body: bytes, content_encoding: str, *, max_bytes: int) -> bytes:
    """The body without its compression, never more than `max_bytes` of it in memory: one at a time, whoever sends them at once."""
    encoding = content_encoding.strip().lower() or "identity"
    if encoding == "identity":
        return body
    expander = _EXPANDERS.get(encoding)
    if expander is None:
        raise UnsupportedEncodingError(
            f"Content-Encoding {encoding[:40]!r} is not read here. Use gzip, deflate, zstd or none."
        )
    try:
        with _one_at_a_time:
            plain, is_whole = expander(body, max_bytes + 1)
    except (zlib.error, zstandard.ZstdError) as error:
        raise MalformedBodyError(f"The body is not valid {encoding}.") from error
    if len(plain) > max_bytes:
        del plain  # the error holds on to what stands here until it is answered
        raise BodyTooLargeError(f"The body expands to more than {max_bytes} bytes. Send smaller batches.")
    if not is_whole:
        raise MalformedBodyError(f"The {encoding} body ends early, or goes on after its end.")
    return plain


def _inflated(window: int, body: bytes, most: int) -> tuple[bytes, bool]:
    stream = zlib.decompressobj(window)
    plain = stream.decompress(body, most)
    return plain, stream.eof and not stream.unused_data


def _unpacked(body: bytes, most: int) -> tuple[bytes, bool]:
    """zstd, whose streams give all that a piece expands to: 8 MB at most for a piece of 256 bytes."""
    stream = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW).decompressobj()
    plain, read = bytearray(), 0
    while read < len(body) and len(plain) < most and not stream.eof:
        plain += stream.decompress(body[read : read + _ZSTD_PIECE])
        read += _ZSTD_PIECE
    return bytes(plain), stream.eof and not stream.unused_data and read >= len(body)


_EXPANDERS: dict[str, Callable[[bytes, int], tuple[bytes, bool]]] = {
    "gzip": partial(_inflated, 31),
    "x-gzip": partial(_inflated, 31),
    "deflate": partial(_inflated, 47),
    "zstd": _unpacked,
}


def _from_document(document: Any) -> Batch:
    if not isinstance(document, dict) or not isinstance(document.get("items"), list):
        raise MalformedBodyError('Send {"items": [...]}, or one item a line as application/x-ndjson.')
    sent_at = document.get("sent_at")
    return Batch(document["items"], sent_at if isinstance(sent_at, str) else None)


def read_line(line: bytes) -> Any:
    """What a line of JSON says; NotAnObjectError, not raised, where it is none."""
    try:
        return read_json(line)
    except MalformedBodyError as error:
        return NotAnObjectError(error.message)


def read_json(text: bytes) -> Any:
    """What JSON says. MalformedBodyError.

    The fast parser refuses a whole body for one lone surrogate or NaN; the slow one lets the item be named.
    """
    try:
        return from_json(text, allow_inf_nan=False, cache_strings="keys")
    except ValueError:
        pass
    try:
        return json.loads(text.decode())
    except UnicodeDecodeError as error:
        raise MalformedBodyError(f"The body is not UTF-8 (at byte {error.start}).") from error
    except json.JSONDecodeError as error:
        raise MalformedBodyError(f"The body is not JSON: {error.msg} (at character {error.pos}).") from error
    except RecursionError as error:
        raise MalformedBodyError("The body is nested too deeply.") from error
    except ValueError as error:  # an integer of more digits than Python converts
        raise MalformedBodyError("The body holds a number that is too long.") from error
