"""The fingerprint: the digest that identifies an action exactly. docs/fingerprints.md has the rules, and vectors beside it.

`"acf1:" + hex(sha256("agentconsole.action:v1\\n" + JCS(envelope)))`, JCS being RFC 8785.
"""

import hashlib
import re
from dataclasses import dataclass, fields
from typing import Any

import rfc8785

from agentconsole.protocol.exact_json import DEPTH_MAX, ExactJsonError, Number, number_of, parse_exact

PROFILE = {"id": "agentconsole.action", "version": 1}
PREFIX = "acf1:"
_DOMAIN = b"agentconsole.action:v1\n"
_FINGERPRINT = re.compile(r"acf1:[0-9a-f]{64}")
_TAG = "$acf:"
_NUMBER_TAG = "$acf:number:"
_STRING_TAG = "$acf:string:"
_SAFE = 2**53 - 1
_SHORT_DIGITS = 8
# The longest digits that could be a double's shortest text, with room to spare; longer ones are no double's.
_DOUBLE_DIGITS = 25


class FingerprintError(ValueError):
    """A value that no fingerprint can carry. `code` tells the kind."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionEnvelope:
    """What a fingerprint covers. Absent texts are empty. `arguments` is any JSON object, exact numbers allowed."""

    environment: str
    operation: str
    tool: str
    agent: str
    arguments: dict[str, Any]
    server: str = ""
    schema_digest: str = ""
    resource: str = ""
    on_behalf_of: str = ""


_TEXTS = tuple(field.name for field in fields(ActionEnvelope) if field.name != "arguments")


def canonical_bytes(envelope: ActionEnvelope) -> bytes:
    """The canonical JSON of an envelope: what is stored, shown, hashed and compared. FingerprintError."""
    if not isinstance(envelope.arguments, dict):
        raise FingerprintError("not_json", "An action's arguments are an object.")
    if not all(isinstance(getattr(envelope, name), str) for name in _TEXTS):
        raise FingerprintError("not_json", "The fields of an action, but for its arguments, are texts.")
    return canonical_json(
        {
            "profile": PROFILE,
            "environment": envelope.environment,
            "operation": envelope.operation,
            "tool": {"server": envelope.server, "name": envelope.tool, "schema_digest": envelope.schema_digest},
            "arguments": envelope.arguments,
            "resource": envelope.resource,
            "agent": envelope.agent,
            "on_behalf_of": envelope.on_behalf_of,
        }
    )


def canonical_json(value: Any) -> bytes:
    """RFC 8785 of a JSON value, numbers beyond a double carried as tagged texts. Equal values, and only those, give equal bytes.

    FingerprintError for what JSON has no word for.
    """
    try:
        return rfc8785.dumps(_carried(value, 0))
    except (rfc8785.CanonicalizationError, UnicodeEncodeError) as error:
        raise FingerprintError("lone_surrogate", "A text holds half of a character (a lone surrogate).") from error
    except ExactJsonError as error:
        raise FingerprintError(error.code, error.message) from error


def _carried(value: Any, depth: int) -> Any:
    if depth > DEPTH_MAX + 2:
        raise FingerprintError("too_deep", f"The value is nested deeper than {DEPTH_MAX} levels.")
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        # Not str(value): that is a text enumeration's name, not its value.
        return _STRING_TAG + value if value.startswith(_TAG) else str.__str__(value)
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise FingerprintError("bad_key", "The keys of an object are texts.")
        return {str.__str__(key): _carried(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_carried(item, depth + 1) for item in value]
    try:
        number = number_of(value)
    except ValueError as error:
        raise FingerprintError("not_finite", "NaN and infinities are no JSON. Send null or a text.") from error
    if number is None:
        raise FingerprintError("not_json", f"A {type(value).__name__} is no JSON value.")
    return _carried_number(number)


def _carried_number(number: Number) -> Any:
    """The number itself, if it is whole and within ±(2^53 - 1), or a fraction that is a double's shortest text; else its normal
    form as a tagged text."""
    negative, digits, power = number.parts()
    sign = "-" if negative else ""
    if not digits:
        return 0
    if power >= 0:
        whole = int(digits) * 10**power if len(digits) + power <= len(str(_SAFE)) else _SAFE + 1
        if whole <= _SAFE:
            return -whole if negative else whole
    elif len(digits) <= _DOUBLE_DIGITS and power > -400:  # noqa: PLR2004  no double reaches 1e-400
        double = float(f"{sign}{digits}e{power}")
        if _written(double) == (negative, digits, power):
            return double
    return f"{_NUMBER_TAG}{sign}{digits}e{power}"


def _written(double: float) -> tuple[bool, str, int] | None:
    """The exact value of a double's shortest text, which is what JCS writes. None for infinities and zero."""
    if double in (float("inf"), float("-inf"), 0.0):
        return None
    return Number(repr(double)).parts()


def fingerprint(envelope: ActionEnvelope) -> str:
    """The fingerprint of an envelope. FingerprintError."""
    return fingerprint_of(canonical_bytes(envelope))


def fingerprint_of(canonical: bytes) -> str:
    """The fingerprint of canonical bytes."""
    return PREFIX + hashlib.sha256(_DOMAIN + canonical).hexdigest()


def digest_of(canonical: bytes) -> str:
    """SHA-256 (hex) of canonical bytes that are no action's."""
    return hashlib.sha256(canonical).hexdigest()


def is_fingerprint(text: str) -> bool:
    """Whether text has the form of a fingerprint."""
    return _FINGERPRINT.fullmatch(text) is not None


def short(text: str) -> str:
    """The short form for people: `acf1:7f3a91c2…`."""
    return f"{text[: len(PREFIX) + _SHORT_DIGITS]}…"


def read_envelope(canonical: bytes) -> ActionEnvelope:
    """The envelope of canonical bytes, its arguments with exact numbers. ValueError if they are not canonical."""
    value = _uncarried(parse_exact(canonical, depth_max=DEPTH_MAX + 4))
    try:
        tool = value["tool"]
        envelope = ActionEnvelope(
            environment=value["environment"],
            operation=value["operation"],
            tool=tool["name"],
            server=tool["server"],
            schema_digest=tool["schema_digest"],
            arguments=value["arguments"],
            resource=value["resource"],
            agent=value["agent"],
            on_behalf_of=value["on_behalf_of"],
        )
        is_whole = canonical_bytes(envelope) == canonical
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("these bytes are no action's envelope") from error
    if not is_whole:
        raise ValueError("these bytes are not the canonical form of an action's envelope")
    return envelope


def _uncarried(value: Any) -> Any:
    if isinstance(value, str):
        if value.startswith(_NUMBER_TAG):
            return Number(_long_form(value.removeprefix(_NUMBER_TAG)))
        return value.removeprefix(_STRING_TAG)
    if isinstance(value, dict):
        return {key: _uncarried(item) for key, item in value.items()}
    return [_uncarried(item) for item in value] if isinstance(value, list) else value


def _long_form(normal: str) -> str:
    """The number as people write it where that is bearable: `9007199254740993`, not `9007199254740993e0`."""
    number = Number(normal)
    _negative, digits, power = number.parts()
    is_short = power >= -60 and len(digits) + power <= 60  # noqa: PLR2004  a line of text
    return format(number.as_decimal(), "f") if is_short else normal
