"""Texts and JSON values without their secrets."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from agentconsole.protocol.redaction import patterns
from agentconsole.protocol.redaction.marks import Hit, hit, is_marked, marker
from agentconsole.protocol.redaction.names import detector_of, is_telling_name
from agentconsole.protocol.redaction.providers import known_forms, long_words, may_be_base64
from agentconsole.protocol.redaction.registered import DETECTOR, holds_registered, registered_in

_DEEPEST = 6  # JSON inside a text inside JSON …: frameworks wrap three times
_LONGEST_JSON = 2 << 20
_PAIR_NAMES = ("name", "key", "header", "field", "Name", "Key")
_PAIR_VALUES = ("value", "val", "Value")
_PAIR = 2
_SCHEMA_WORDS = frozenset({"type", "$ref", "anyOf", "oneOf", "allOf", "enum", "description"})


def may_hold_secret(text: str) -> bool:
    """Whether any detector could hit in `text`, JSON or plain. False is certain.

    Cheap where it is False, as nearly always: 5 µs for 1.5 kB of prose and 25 µs for as much of a log, where the patterns take 200.
    """
    if _has_telling_word(text) or holds_registered(text):
        return True
    words = long_words(text)
    return bool(words) and (may_be_base64(words) or bool(known_forms(text, words)))


def _has_telling_word(text: str) -> bool:
    lowered = text.lower()
    if ":" not in text and "=" not in text and '"' not in text:  # prose: nothing is assigned, nothing is JSON
        return "bearer" in lowered or "basic " in lowered or "private" in lowered or "authorization" in lowered
    return (
        "key" in lowered
        or "token" in lowered
        or "pass" in lowered
        or "secret" in lowered
        or "authorization" in lowered
        or "bearer" in lowered
        or "cookie" in lowered
        or "credential" in lowered
        or "pwd" in lowered
        or "basic " in lowered
        or "sig=" in lowered
        or ("@" in text and "://" in text)
    )


def scrub_text(text: str) -> tuple[str, tuple[str, ...]]:
    """`text` without the secrets that it shows, and the detectors that hit, in order."""
    hits: list[Hit] = []
    return _scrub_text(text, "", hits, 0), tuple(hit.detector for hit in hits)


def shows_secret(text: str) -> bool:
    """Whether a text shows a secret."""
    return may_hold_secret(text) and bool(scrub_text(text)[1])


def _scrub_text(text: str, place: str, hits: list[Hit], depth: int) -> str:
    if holds_registered(text):
        text = _cut_out(text, DETECTOR, registered_in(text), place, hits)
    is_telling, words = _has_telling_word(text), long_words(text)
    if not (is_telling or words):
        return text
    is_wrapping, forms = may_be_base64(words), known_forms(text, words) if words else []
    if is_telling:
        text = _scrub_told(text, place, hits)
    for provider in forms:
        text = _replace(provider.pattern, provider.detector, text, place, hits)
    if is_telling:
        text = _cut_out(text, "field_name", patterns.assigned_values(text), place, hits)
    if depth >= _DEEPEST:
        return text
    if is_wrapping:
        wrapped = patterns.wrapped_in_base64(text, lambda inner: _finds(inner, depth + 1))
        text = _cut_out(text, "base64", wrapped, place, hits)
    if is_telling or is_wrapping or forms:
        text = _scrub_json_text(text, place, hits, depth + 1)
    return text


def _scrub_told(text: str, place: str, hits: list[Hit]) -> str:
    """What headers, key blocks and URLs tell."""
    lowered = text.lower()
    if "private" in lowered:
        text = _replace(patterns.PRIVATE_KEY, "private_key", text, place, hits)
        text = _replace(patterns.PUTTY_KEY, "private_key", text, place, hits)
    if "authorization" in lowered:
        text = _replace(patterns.HEADER, "authorization_header", text, place, hits)
    if "bearer" in lowered:
        text = _replace(patterns.BEARER, "bearer_token", text, place, hits)
    if "cookie" in lowered:
        text = _replace(patterns.COOKIE, "cookie_header", text, place, hits)
    if "basic" in lowered:
        text = _replace(patterns.BASIC, "basic_credential", text, place, hits, is_secret=patterns.is_basic_credential)
    if "@" in text and "://" in text:
        text = _replace(patterns.URL_PASSWORD, "url_password", text, place, hits)
    if "sig=" in text:
        text = _replace(patterns.SAS_SIGNATURE, "azure_sas_signature", text, place, hits)
    return text


def _finds(text: str, depth: int) -> bool:
    hits: list[Hit] = []
    _scrub_text(text, "", hits, depth)
    return bool(hits)


def _scrub_json_text(text: str, place: str, hits: list[Hit], depth: int) -> str:
    """A text that is JSON, by its structure too. It is written anew only where that finds what its text did not show."""
    if len(text) > _LONGEST_JSON or not _looks_like_json(text):
        return text
    found: list[Hit] = []
    try:
        clean = _scrub(json.loads(text), place, found, depth)
    except (ValueError, RecursionError):
        return text
    if not found:
        return text
    hits.extend(found)
    return json.dumps(clean, ensure_ascii=False)


def _looks_like_json(text: str) -> bool:
    ends = (
        text[:1] + text[-1:]
        if not text[:1].isspace() and not text[-1:].isspace()
        else text.strip()[:1] + text.strip()[-1:]
    )
    return ends in ("{}", "[]", '""')


def _replace(
    pattern: re.Pattern[str],
    detector: str,
    text: str,
    place: str,
    hits: list[Hit],
    *,
    is_secret: Callable[[str], bool] | None = None,
) -> str:
    def swap(found: re.Match[str]) -> str:
        value = found[found.lastindex] if found.lastindex else found[0]
        if is_marked(value) or (is_secret is not None and not is_secret(value)):
            return found[0]
        hits.append(hit(detector, place, value))
        return (found[1] if found.lastindex else "") + marker(detector)

    return pattern.sub(swap, text)


def _cut_out(text: str, detector: str, spans: Iterator[tuple[int, int]], place: str, hits: list[Hit]) -> str:
    parts, done = [], 0
    for start, end in spans:
        parts += [text[done:start], marker(detector)]
        hits.append(hit(detector, place, text[start:end]))
        done = end
    return "".join(parts) + text[done:] if parts else text


def scrub(value: Any, place: str = "") -> tuple[Any, tuple[Hit, ...]]:
    """A JSON value without its secrets, and where they were. The value given is not changed."""
    hits: list[Hit] = []
    return _scrub(value, place, hits, 0), tuple(hits)


def _scrub(value: Any, place: str, hits: list[Hit], depth: int) -> Any:
    if isinstance(value, str):
        return _scrub_text(value, place, hits, depth)
    if isinstance(value, dict):
        value = _blank_pair(value, place, hits)
        return dict(_scrub_member(key, item, place, hits, depth) for key, item in value.items())
    if isinstance(value, list | tuple):
        return _scrub_list(value, place, hits, depth)
    return value


def _scrub_member(name: Any, value: Any, place: str, hits: list[Hit], depth: int) -> tuple[Any, Any]:
    """A member of an object. Its name may hold a secret too, and must then not be told as a place."""
    found: list[Hit] = []
    clean = _scrub_text(name, "", found, 0) if isinstance(name, str) else name
    place = f"{place}.{clean}" if place else str(clean)
    hits.extend(replace(one, place=place) for one in found)
    if isinstance(name, str) and is_telling_name(name) and _holds_something(value) and not _is_schema(value, place):
        hits.append(hit(detector := detector_of(name), place, value))
        return clean, marker(detector)
    return clean, _scrub(value, place, hits, depth)


def _blank_pair(value: dict[Any, Any], place: str, hits: list[Hit]) -> dict[Any, Any]:
    """`{"name": "Authorization", "value": …}`: a telling name may be a member's value."""
    named = next((value[name] for name in _PAIR_NAMES if isinstance(value.get(name), str)), "")
    if not named or not is_telling_name(named):
        return value
    told = next((name for name in _PAIR_VALUES if _holds_something(value.get(name))), None)
    if told is None:
        return value
    hits.append(hit(detector := detector_of(named), f"{place}.{told}" if place else told, value[told]))
    return value | {told: marker(detector)}


def _scrub_list(values: list[Any] | tuple[Any, ...], place: str, hits: list[Hit], depth: int) -> list[Any]:
    """`["Authorization", …]` is a header too, and `["--password", …]` a command line."""
    clean: list[Any] = []
    before = ""
    for index, item in enumerate(values):
        here = f"{place}.{index}"
        names = before.startswith("-") or (len(values) == _PAIR and index == 1)
        if names and isinstance(item, str) and is_telling_name(before) and _holds_something(item):
            hits.append(hit(detector := detector_of(before), here, item))
            clean.append(marker(detector))
        else:
            clean.append(_scrub(item, here, hits, depth))
        before = item if isinstance(item, str) else ""
    return clean


def _is_schema(value: Any, place: str) -> bool:
    """Whether it tells what a member of that name looks like, as a tool's JSON Schema does (`properties.api_key`)."""
    return isinstance(value, dict) and place.split(".")[-2:-1] == ["properties"] and not _SCHEMA_WORDS.isdisjoint(value)


def _holds_something(value: Any) -> bool:
    return (
        value is not None
        and not isinstance(value, bool)
        and value not in ("", [], {})
        and not (isinstance(value, str) and is_marked(value))
    )
