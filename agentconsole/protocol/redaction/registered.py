"""Secrets that this process was given: found by their exact text, whatever they look like.

No value is kept. Of each form of it (as it is, in JSON, in a URL, in base64) there is its length, its first and last three characters, by which a text is
searched at the speed of C, and a hash under a key that this process made for itself. Most secrets are one long word: texts without any are not searched for those.
"""

import base64
import hashlib
import json
import secrets
import threading
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

from agentconsole.protocol.redaction.providers import has_long_word, is_long_word

DETECTOR = "registered_secret"
SHORTEST = 8  # characters: what is shorter stands in too many texts by chance
LONGEST = 64 * 1024
_ANCHOR = 3

_key = secrets.token_bytes(32)
_lock = threading.Lock()
_Marks = dict[
    str, frozenset[tuple[str, int, bytes]]
]  # by first characters: last characters, length and hash of each form
# Long words, and all others. Replaced as a whole, so that readers need no lock.
_known: tuple[_Marks, _Marks] = ({}, {})


def register(value: str) -> bool:
    """Take a secret out of every text from now on. False if it is too short or too long for that. Registering twice is harmless."""
    if not SHORTEST <= len(value) <= LONGEST:
        return False
    global _known  # noqa: PLW0603  one process, one set of secrets
    with _lock:
        known = (dict(_known[0]), dict(_known[1]))
        for form in _forms(value):
            marks = known[0] if is_long_word(form) else known[1]
            mark = (form[-_ANCHOR:], len(form), _hash(form))
            marks[form[:_ANCHOR]] = marks.get(form[:_ANCHOR], frozenset()) | {mark}
        _known = known
    return True


def holds_registered(text: str) -> bool:
    """Whether a registered secret stands in a text."""
    return next(registered_in(text), None) is not None


def registered_in(text: str) -> Iterator[tuple[int, int]]:
    """Where registered secrets stand, in order, none within another."""
    words, others = _known
    done = 0
    for start, end in sorted((*_found(text, others), *(_found(text, words) if words and has_long_word(text) else ()))):
        if start >= done:
            yield start, end
            done = end


def _found(text: str, known: _Marks) -> Iterator[tuple[int, int]]:
    for first, marks in known.items():
        at = text.find(first)
        while at >= 0:
            for last, length, digest in marks:
                end = at + length
                if text[end - _ANCHOR : end] == last and _hash(text[at:end]) == digest:
                    yield at, end
            at = text.find(first, at + 1)


def _forms(value: str) -> set[str]:
    encoded = base64.b64encode(value.encode("utf-8", "replace")).decode()
    forms = {value, json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
    return forms | {quote(value, safe=""), quote_plus(value), encoded, encoded.rstrip("=")}


def _hash(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "replace"), key=_key, digest_size=16).digest()
