"""The part of a text that answers a question, with what answers it told apart."""

from collections.abc import Sequence

from traces.search.asked import Term
from traces.search.words import words_in

CHARS = 240
_BEFORE = 60
_READ = 20_000

Piece = tuple[str, bool]  # text, and whether it is what was asked for


def snippet(text: str, terms: Sequence[Term]) -> list[Piece]:
    """At most CHARS characters around the first word that was asked for; the beginning where there is none."""
    text = text[:_READ]
    wanted = tuple(word for term in terms for word in term.words)
    hits = [(start, end) for word, start, end in words_in(text) if wanted and word.startswith(wanted)]
    first = max(hits[0][0] - _BEFORE, 0) if hits else 0
    last = min(first + CHARS, len(text))
    pieces: list[Piece] = [("…", False)] if first else []
    done = first
    for start, end in hits:
        if start >= last:
            break
        pieces += [(text[done:start], False), (text[start : min(end, last)], True)]
        done = end
    pieces += [(text[done:last], False), ("…" if last < len(text) else "", False)]
    return [(part, is_hit) for part, is_hit in pieces if part]
