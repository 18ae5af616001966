"""Protobuf as it is on the wire, looked at before anything is made of it. Pure: https://protobuf.dev/programming-guides/encoding."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import islice
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

# What the parser itself refuses.
_DEEPEST = 100
# A varint's bit that says that there is more of it.
_MORE = 0x80
_VARINT, _EIGHT_BYTES, _LENGTH, _FOUR_BYTES = 0, 1, 2, 5
_TEXT = "text"
_NO_UTF8 = re.compile("[\udc80-\udcff]")
Fields = Mapping[int, Any]


def holds_more_messages(body: bytes, kind: type[Message], most: int) -> bool:
    """Whether a body has more than so many messages in it, at whatever depth. What is no protobuf is left to the parser.

    Two bytes are enough for one that takes 53 in memory. Counting costs about as much again as reading, so it is for large bodies.
    """
    messages = (at for at, _size, is_text in _pieces(body, kind) if not is_text)
    return next(islice(messages, most, None), None) is not None


def with_sound_texts(body: bytes, kind: type[Message], most: int) -> bytes:
    """The body with a question mark for each byte of a text that is no UTF-8, in the first `most` texts and messages.

    The parser refuses a whole body for one such byte, and whoever cuts texts by bytes sends some.
    """
    sound = bytearray(body)
    for at, size, is_text in islice(_pieces(body, kind), most):
        if is_text:
            try:
                body[at : at + size].decode()
            except UnicodeDecodeError:
                text = body[at : at + size].decode("utf-8", "surrogateescape")
                sound[at : at + size] = _NO_UTF8.sub("?", text).encode()
    return bytes(sound)


def _pieces(body: bytes, kind: type[Message]) -> Iterator[tuple[int, int, bool]]:
    """The messages and texts in a body, in its order: where each begins, how long it is, and whether it is a text."""
    at, end, fields = 0, len(body), _fields_of(kind.DESCRIPTOR)
    outer: list[tuple[int, Fields]] = []
    while True:
        while at >= end:
            if not outer:
                return
            end, fields = outer.pop()
        tag, at = (body[at], at + 1) if body[at] < _MORE else _number(body, at)
        inner = fields.get(tag >> 3) if tag & 7 == _LENGTH else None
        size, at = _size(body, at, tag & 7)
        if size < 0 or at + size > end or len(outer) > _DEEPEST:
            return
        if inner is None:
            at += size
        elif inner is _TEXT:
            yield at, size, True
            at += size
        else:
            yield at, size, False
            outer.append((end, fields))
            end, fields = at + size, _fields_of(inner)


def _size(body: bytes, at: int, wire_type: int) -> tuple[int, int]:
    """How long a field's value is, and where it begins; less than 0 where that can't be told."""
    if wire_type == _LENGTH:
        return (body[at], at + 1) if at < len(body) and body[at] < _MORE else _number(body, at)
    if wire_type == _VARINT:
        return 0, _number(body, at)[1]
    return {_EIGHT_BYTES: 8, _FOUR_BYTES: 4}.get(wire_type, -1), at


def _number(body: bytes, at: int) -> tuple[int, int]:
    """A varint, and where it ends; beyond the body where it has no end."""
    number, shift = 0, 0
    for place in range(at, min(at + 10, len(body))):
        byte = body[place]
        number |= (byte & 0x7F) << shift
        if byte < _MORE:
            return number, place + 1
        shift += 7
    return 0, len(body) + 1


@cache
def _fields_of(descriptor: Any) -> Fields:
    """The fields of a kind of message that are messages (what they are) or texts, by number."""
    return {
        field.number: field.message_type or _TEXT
        for field in descriptor.fields
        if field.message_type is not None or field.type == FieldDescriptor.TYPE_STRING
    }
