"""Credentials that are known by what stands around them: headers, key blocks, URLs, names and what is assigned to them.

Every pattern is linear: none has a repeated group inside a repeat, and each repeat has a bound or can't meet its own end.
`\\\\{0,8}` before a quote is a quote inside JSON that is itself inside a text.
"""

import base64
import binascii
import re
from collections.abc import Callable, Iterator

from agentconsole.protocol.redaction.names import is_telling_name

_QUOTE = r"\\{0,8}[\"']?"
HEADER = re.compile(
    rf"(?i)(\b(?:proxy-)?authorization{_QUOTE}\s{{0,4}}[:=,]\s{{0,4}}{_QUOTE})"
    r"(?:([a-z][a-z0-9_-]{0,31})\s{1,4}(?:token=[\"']?)?)?([^\s\"',;\\]{4,4096})"
)
# A token has a digit or is long: "bearer authentication failed" is prose.
BEARER = re.compile(r"(?i)\b(bearer\s{1,4})((?=[a-z._~+/=-]{0,200}[0-9])[a-z0-9._~+/=-]{8,4096}|[a-z._~+/=-]{24,4096})")
BASIC = re.compile(r"(?i)\b(basic\s{1,4})([a-z0-9+/]{8,2048}={0,2})")
COOKIE = re.compile(
    rf"(?i)(\b(?:set-)?cookie{_QUOTE}\s{{0,4}}:\s{{0,4}}{_QUOTE})([^\s\"'\\=;]{{1,256}}=[^\r\n\"'\\]{{4,8192}})"
)
PRIVATE_KEY = re.compile(
    r"(?s)-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:(?!-----).)*(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----)?"
)
PUTTY_KEY = re.compile(r"(Private-Lines:\s{0,4}[0-9]{1,4}\s{1,4})([A-Za-z0-9+/=\s]{40,20000})")
URL_PASSWORD = re.compile(
    r"((?<![a-z0-9+.-])[a-z][a-z0-9+.-]{1,30}://[^\s/@:\"'<>]{0,256}:)(?!\*{1,32}@)([^\s/@\"'<>]{1,512})(?=@)",
    re.IGNORECASE,
)
SAS_SIGNATURE = re.compile(r"([?&]sig=)([A-Za-z0-9%+/]{40,100}(?:%3[Dd]|=))")

_ASSIGNMENT = re.compile(
    r"(?i)(?:pass(?:word|wd|phrase)|pwd|secret|token|key|credentials?)"
    rf"{_QUOTE}\s{{0,4}}(?:=>|[:=])\s{{0,4}}(?P<quote>\\{{0,8}}[\"'])?"
)
_NAME_END = re.compile(r"[A-Za-z0-9_.-]{1,64}\Z")
_BARE_VALUE = re.compile(r"[^\s\"',;&}\])<>\\]{1,4096}")
_NO_VALUE = re.compile(
    r"(?i)(?:null|none|true|false|nil|undefined)\b|[$%<{*]|\[REDACTED:|x{3,}\Z|\.{3}|process\.env|os\.environ"
)
_SHORTEST_VALUE = 4
_LONGEST_QUOTED = 8192
# By themselves these name much that is no secret (a token of a log, the key of a map): what they hold must look random.
_WEAK = frozenset({"token", "key"})
_RANDOM = re.compile(r"(?=[^0-9]{0,64}[0-9])(?=[^A-Za-z]{0,64}[A-Za-z])[A-Za-z0-9._~+/=-]{16,4096}\Z")

_BASE64 = re.compile(r"(?<![A-Za-z0-9+/_-])(?:eyJ|ewo|ewp|W3s|LS0tLS1CRUdJTi)[A-Za-z0-9+/_-]{16,200000}={0,2}")


def assigned_values(text: str) -> Iterator[tuple[int, int]]:
    """Where the values stand that are assigned to telling names: `password=…`, `"api_key": "…"`, also inside quoted JSON."""
    done = 0
    for found in _ASSIGNMENT.finditer(text):
        start = found.end()
        if start < done or not _names_a_secret(text, found):
            continue
        end = _end_of_value(text, start, found["quote"])
        value = text[start:end]
        if len(value) < _SHORTEST_VALUE or _NO_VALUE.match(value):
            continue
        if _is_weak(text, found) and not _RANDOM.match(value):
            continue
        done = end
        yield start, end


def _name(text: str, found: re.Match[str]) -> str:
    end = found.start() + len(_first_word(found[0]))
    name = _NAME_END.search(text[max(0, end - 64) : end])
    return name[0] if name else ""


def _first_word(head: str) -> str:
    word = re.match(r"[A-Za-z_-]+", head)
    return word[0] if word else ""


def _names_a_secret(text: str, found: re.Match[str]) -> bool:
    return is_telling_name(_name(text, found))


def _is_weak(text: str, found: re.Match[str]) -> bool:
    return _name(text, found).lower() in _WEAK


def _end_of_value(text: str, start: int, quote: str | None) -> int:
    """The end of a value: its closing quote, as deeply escaped as the opening one; without quotes, the end of the word."""
    if quote:
        end, limit = start, min(len(text), start + _LONGEST_QUOTED)
        while (end := text.find(quote, end, limit)) >= 0:
            if text[end - 1] != "\\" or end == start:
                return end
            end += len(quote)
    bare = _BARE_VALUE.match(text, start)
    return bare.end() if bare else start


def is_basic_credential(value: str) -> bool:
    """Whether it is `user:password`, encoded."""
    decoded = _decoded(value)
    return decoded is not None and ":" in decoded and decoded.isprintable()


def wrapped_in_base64(text: str, finds: Callable[[str], bool]) -> Iterator[tuple[int, int]]:
    """Where base64 text stands that `finds` something once decoded: JSON or a key block."""
    for found in _BASE64.finditer(text):
        decoded = _decoded(found[0])
        if decoded is not None and finds(decoded):
            yield found.span()


def _decoded(value: str) -> str | None:
    plain = value.rstrip("=").translate(_STANDARD)
    plain = plain[: len(plain) - (len(plain) % 4 == 1)]
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4)).decode("utf-8", "ignore")
    except (binascii.Error, ValueError):
        return None


_STANDARD = str.maketrans("-_", "+/")
