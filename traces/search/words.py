"""What search takes for a word: the same for what is indexed and for what is asked, whatever the database's own rules."""

import re
import unicodedata
from collections.abc import Iterator

_WORD = re.compile(r"[^\W_]+")
# Written without blanks between words: each character is a word of its own, and a phrase of them is what people look for.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
_PIECE = re.compile(rf"[{_UNSPACED}]|[^{_UNSPACED}]+")
_LONGEST = 64  # characters of a word: of a longer one, which nobody types, its beginning is found


def words_in(text: str) -> Iterator[tuple[str, int, int]]:
    """Each word, folded, and where it stands in the text."""
    for found in _WORD.finditer(text):
        if found[0].isascii():
            yield found[0].lower()[:_LONGEST], found.start(), found.end()
            continue
        for piece in _PIECE.finditer(found[0]):
            folded = fold(piece[0])
            if folded:
                yield folded[:_LONGEST], found.start() + piece.start(), found.start() + piece.end()


def fold(text: str) -> str:
    """Without case and accents."""
    plain = "".join(one for one in unicodedata.normalize("NFKD", text) if not unicodedata.combining(one))
    return unicodedata.normalize("NFC", plain).casefold()


def indexed(text: str) -> str:
    """The words of a text with blanks between, as they are indexed."""
    if text.isascii():
        return " ".join([word[:_LONGEST] for word in _WORD.findall(text.lower())])
    return " ".join([word for word, _, _ in words_in(text)])
