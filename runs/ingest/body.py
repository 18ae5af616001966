"""From the bytes of a request to a list of raw items, within fixed bounds of memory."""

import json
import zlib
from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json

from runs.ingest.errors import BodyTooLargeError, MalformedBodyError, NotAnObjectError, UnsupportedEncodingError

MAX_ITEMS = 5_000
_ZLIB_WINDOW = {"gzip": 31, "x-gzip": 31, "deflate": 47}
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
        batch = Batch([_read_line(line) for line in plain.split(b"\n", MAX_ITEMS + 1) if line.strip()])
    else:
        batch = _from_document(_read_json(plain))
    if len(batch.items) > MAX_ITEMS:
        raise BodyTooLargeError(f"More than {MAX_ITEMS} items in one batch. Send smaller batches.")
    return batch


def expand(body: bytes, content_encoding: str, *, max_bytes: int) -> bytes:
    """The body without its compression, never more than `max_bytes` of it in memory."""
    encoding = content_encoding.strip().lower() or "identity"
    if encoding == "identity":
        return body
    window = _ZLIB_WINDOW.get(encoding)
    if window is None:
        raise UnsupportedEncodingError(
            f"Content-Encoding {encoding[:40]!r} is not read here. Use gzip, deflate or none."
        )
    stream = zlib.decompressobj(window)
    try:
        plain = stream.decompress(body, max_bytes + 1)
    except zlib.error as error:
        raise MalformedBodyError(f"The body is not valid {encoding}.") from error
    if len(plain) > max_bytes:
        raise BodyTooLargeError(f"The body expands to more than {max_bytes} bytes. Send smaller batches.")
    if not stream.eof:
        raise MalformedBodyError(f"The {encoding} body ends early.")
    return plain


def _from_document(document: Any) -> Batch:
    if not isinstance(document, dict) or not isinstance(document.get("items"), list):
        raise MalformedBodyError('Send {"items": [...]}, or one item a line as application/x-ndjson.')
    sent_at = document.get("sent_at")
    return Batch(document["items"], sent_at if isinstance(sent_at, str) else None)


def _read_line(line: bytes) -> Any:
    try:
        return _read_json(line)
    except MalformedBodyError as error:
        return NotAnObjectError(error.message)


def _read_json(text: bytes) -> Any:
    """The fast parser refuses a whole body for one lone surrogate or NaN; the slow one lets the item be named."""
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
