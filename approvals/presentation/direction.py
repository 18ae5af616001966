"""Text that runs from right to left, told apart: next to it, signs and digits would change places without any control character."""

from collections.abc import Iterator

import regex

# Words of letters, joined by single spaces; and digits that behave like them. Other signs and digits stay in the order of the text.
_LEFTWARD = regex.compile(
    r"[\p{bc=R}\p{bc=AL}][\p{bc=R}\p{bc=AL}\p{bc=AN}\p{bc=NSM}]*"
    r"(?: [\p{bc=R}\p{bc=AL}][\p{bc=R}\p{bc=AL}\p{bc=AN}\p{bc=NSM}]*)*|\p{bc=AN}+"
)


def directed(text: str) -> Iterator[tuple[str, bool]]:
    """The text in pieces, each with whether it is a run of right-to-left writing, to be isolated from its surroundings."""
    place = 0
    for found in _LEFTWARD.finditer(text) if not text.isascii() else ():
        if found.start() > place:
            yield text[place : found.start()], False
        yield found[0], True
        place = found.end()
    if place < len(text):
        yield text[place:], False
