"""How a span ended, in the console's words: classified from what its source really told."""

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from agentconsole.protocol.envelope import Outcome, SpanState
from traces.mapping.values import as_text, from_repr

_CODE = (
    r"(?:^|(?:\b(?:https?|status|codes?|errors?|response|returned|got|failed|replied|with|exception)|[_\s]code)"
    r"(?:/\d(?:\.\d)?)?[\s:=('\"#\[-]{1,4})"
)
_AFTER_CODE = r"(?![\w-])"
_CLASSES: tuple[tuple[str, Outcome, re.Pattern[str]], ...] = tuple(
    (name, outcome, re.compile(pattern, re.IGNORECASE))
    for name, outcome, pattern in (
        (
            "error.rejected",
            Outcome.REJECTED,
            (r"\b(?:rejected|denied|declined|refused) by (?:the )?(?:user|human|person|operator|reviewer|approver)\b"
            r"|\b(?:user|human|operator|reviewer|approver) (?:has )?(?:rejected|denied|declined|refused)\b"
            r"|\bapproval (?:was )?(?:rejected|denied|declined|refused)\b|\bdoesn't want to proceed\b"),
        ),
        (
            "error.auth",
            Outcome.AUTH_FAILED,
            _CODE + r"(?:401|403)" + _AFTER_CODE + r"|unauthori[sz]ed|unauthenticated|\bforbidden\b|\bapi[ _-]?key\b"
            r"|\bnot authori[sz]ed\b|(?:access|permission)[ _]?denied|authenticat(?:ion|e)[ _]?(?:failed|failure|error|required)"
            r"|(?:invalid|expired|missing|bad|wrong) (?:access |auth\w* |bearer )?(?:token|credentials?)"
            r"|(?:token|credentials?) (?:has |have |is |are )?(?:expired|invalid|revoked)"
            r"|auth(?:entication|orization)?(?:error|exception|failure|failed)\b|credentialserror",
        ),
        (
            "error.timeout",
            Outcome.TIMEOUT,
            _CODE + r"408" + _AFTER_CODE + r"|\btime[ds]?[ _-]out\b|timeout|deadline[ _]?exceeded|deadline",
        ),
        (
            "error.degraded",
            Outcome.DEGRADED,
            _CODE + r"(?:429|5\d\d)" + _AFTER_CODE + r"|overload|unavailable|rate[ _-]?limit|too many requests|throttl"
            r"|bad gateway|quota|circuit[ _]?(?:is )?(?:open|breaker)|resource[ _]?exhausted"
            r"|connection ?(?:refused|reset|error|aborted|closed)|econnrefused|econnreset|connecterror",
        ),
    )
)  # fmt: skip
# A bug in how the tool was called: what its message says of a parameter `timeout` is no timeout.
_CALLERS_BUG = re.compile(r"(?:Type|Value|Key|Attribute|Index|Validation|Name|Import|Assertion|Syntax)Error", re.ASCII)
_BUG_READS = ("error.rejected", "error.auth")
_WAITS = re.compile(r"(?:GraphInterrupt|NodeInterrupt|GraphBubbleUp|ApprovalRequired|CallDeferred)$", re.ASCII)
_TEXT_MAX = 4_000  # characters that are read of an error: the reason stands first
_EMPTY_TEXTS = frozenset({"", "[]", "{}", "null", "None", "()", '""', "''"})
_OUTCOMES = frozenset(Outcome)
_FAILED_WORDS = frozenset({"error", "failed", "failure"})
# The more a word says about what went wrong, the higher.
_TELLS: dict[str, int] = {
    SpanState.RUNNING: 0, SpanState.UNREPORTED: 1, Outcome.OK: 2, Outcome.SLOW: 2, Outcome.EMPTY: 2, Outcome.ERROR: 3,
    Outcome.DEGRADED: 4, Outcome.TIMEOUT: 4, Outcome.AUTH_FAILED: 4, Outcome.REJECTED: 5, SpanState.WAITING: 6,
}  # fmt: skip
FAILURES = frozenset({Outcome.ERROR, Outcome.DEGRADED, Outcome.TIMEOUT, Outcome.AUTH_FAILED, Outcome.REJECTED})


class Judged(NamedTuple):
    """An outcome, and the name of the rule that chose it."""

    outcome: str
    rule: str


def is_wait(error_type: str) -> bool:
    """Whether an exception's type says that a person is awaited, and nothing failed."""
    return _WAITS.search(error_type) is not None


def judge_error(texts: Iterable[str]) -> Judged:
    """A failure by its texts (type, message …), the first that tells."""
    texts = [text[:_TEXT_MAX] for text in texts if text]
    bug = any(_CALLERS_BUG.search(text[:200]) for text in texts)
    for name, outcome, pattern in _CLASSES:
        if bug and name not in _BUG_READS:
            continue
        if any(pattern.search(text) for text in texts):
            return Judged(outcome, name)
    return Judged(Outcome.ERROR, "error")


def is_empty(value: Any) -> bool:
    """Whether a reported result says "nothing": `""`, `[]`, `{}`, null, also as text."""
    if isinstance(value, str):
        return len(value) < 20 and value.strip() in _EMPTY_TEXTS  # noqa: PLR2004  none of them is longer
    return value is None or (isinstance(value, list | dict | tuple) and not value)


def judge_envelope(value: Any) -> tuple[Judged, str] | None:
    """What a tool's own envelope says although its span is well, with its message. None: it is no envelope, or says all is well."""
    if isinstance(value, str) and value.lstrip()[:1] == "{":
        value = from_repr(value)
    if not isinstance(value, dict):
        return None
    told = value.get("outcome")
    if isinstance(told, str) and told in _OUTCOMES and ("elapsed_ms" in value or "budget" in value):
        return Judged(told, "envelope.outcome"), _text_of(value.get("message"))
    for key, failed in _ENVELOPES:
        if key in value and failed(value[key]):
            message = _message_of(value)
            judged = judge_error((message,))
            return Judged(judged.outcome, f"envelope.{key}"), message
    return None


def _is_false(value: Any) -> bool:
    return value is False


def _is_true(value: Any) -> bool:
    return value is True


def _is_failed_word(value: Any) -> bool:
    return isinstance(value, str) and value.lower() in _FAILED_WORDS


def _is_said(value: Any) -> bool:
    return value is not None and value is not False and value not in ("", 0) and not is_empty(value)


_ENVELOPES = (
    ("success", _is_false), ("ok", _is_false), ("isError", _is_true), ("is_error", _is_true),
    ("status", _is_failed_word), ("error", _is_said),
)  # fmt: skip


def _message_of(value: dict[str, Any]) -> str:
    error = value.get("error")
    if isinstance(error, dict):
        error = error.get("message") or error
    for told in (error, value.get("message"), value.get("detail"), value.get("content")):
        if _is_said(told) and not isinstance(told, bool):
            return _text_of(told)
    return ""


def _text_of(value: Any) -> str:
    return "" if value is None else as_text(value)[:_TEXT_MAX]


def with_budget(outcome: str, elapsed_ms: float | None, soft_ms: float | None) -> str:
    """`slow` for what answered well after its soft budget, in milliseconds; any other outcome, or no budget: as it is."""
    if outcome == Outcome.OK and elapsed_ms is not None and soft_ms is not None and elapsed_ms > soft_ms:
        return Outcome.SLOW
    return outcome


def merged(own: str, other: str) -> str:
    """What two tellings of one call make together: the one that says more, the same in any order and however often."""
    return max((_TELLS.get(own, 0), own), (_TELLS.get(other, 0), other))[1]
