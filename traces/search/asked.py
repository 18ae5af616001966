"""What people type into the search: words, of which the beginning is enough, and "quoted phrases". Every text is a question; none is an error."""

import re
from dataclasses import dataclass

from traces.search.words import words_in

TERMS = 12
_PART = re.compile(r'"([^"]*)"?|([^\s"]+)')


@dataclass(frozen=True, slots=True)
class Term:
    """Words that stand next to each other, in this order; the last one only begins so, unless the term was quoted."""

    words: tuple[str, ...]
    is_prefix: bool


def terms_in(text: str) -> tuple[Term, ...]:
    """The terms of a question, TERMS at most. A row answers it if it has all of them."""
    found = []
    for part in _PART.finditer(text[:1000]):
        words = tuple(word for word, _, _ in words_in(part[1] if part[1] is not None else part[2]))
        if words:
            found.append(Term(words, is_prefix=part[1] is None))
    return tuple(found[:TERMS])


def fts5(terms: tuple[Term, ...]) -> str:
    """For SQLite's MATCH. Words hold letters and digits alone, so none can end its quotes."""
    return " AND ".join(f'"{" ".join(term.words)}"' + ("*" if term.is_prefix else "") for term in terms)


def tsquery(terms: tuple[Term, ...]) -> str:
    """For PostgreSQL's to_tsquery."""
    return " & ".join(
        "("
        + " <-> ".join([*(f"'{word}'" for word in term.words[:-1]), f"'{term.words[-1]}'{':*' * term.is_prefix}"])
        + ")"
        for term in terms
    )
