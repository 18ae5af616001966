"""Which outcome a tool call had, from what it returned or raised, and the words that the model reads about it."""

import http
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx

from agentconsole.protocol.envelope import Budget, Outcome
from agentconsole.sdk.errors import ToolAuthFailed, ToolDegraded, ToolRejected, ToolTimeout
from agentconsole.sdk.payload import prepare_text

_RAISED: dict[type[Exception], Outcome] = {
    ToolTimeout: Outcome.TIMEOUT,
    ToolAuthFailed: Outcome.AUTH_FAILED,
    ToolDegraded: Outcome.DEGRADED,
    ToolRejected: Outcome.REJECTED,
    httpx.TimeoutException: Outcome.TIMEOUT,
    TimeoutError: Outcome.TIMEOUT,
    httpx.NetworkError: Outcome.DEGRADED,
    httpx.RemoteProtocolError: Outcome.DEGRADED,
    httpx.ProxyError: Outcome.DEGRADED,
    ConnectionError: Outcome.DEGRADED,
}
# PermissionError is not here: the file system's refusal is a mistake in the tool's set-up, not a credential to renew.

_ADVICE = {
    Outcome.TIMEOUT: "tool unresponsive: {said}; pivot or report",
    Outcome.AUTH_FAILED: "credential refused: {said}; asking again won't help, report it",
    Outcome.DEGRADED: "service degraded: {said}; pivot or report",
    Outcome.REJECTED: "stopped at the approval boundary: {said}; do not try another way",
    Outcome.ERROR: "tool broke: {said}; this is a bug in the tool, report it",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """An outcome with its message. `retry_after_s` is the wait that the service asked for."""

    outcome: Outcome
    message: str = ""
    retry_after_s: float | None = None


def classify_answer(data: Any, elapsed_ms: int, budget: Budget) -> Verdict:
    """The verdict on an answer that came within the hard budget. Nothing found is `empty`, also when it came late."""
    if is_empty(data):
        return Verdict(Outcome.EMPTY, "the tool worked and found nothing")
    if elapsed_ms > budget.soft_ms:
        return Verdict(
            Outcome.SLOW,
            f"answered after {seconds(elapsed_ms / 1000)}, over its soft budget of {seconds(budget.soft_ms / 1000)}",
        )
    return Verdict(Outcome.OK)


def is_empty(data: Any) -> bool:
    """Whether an answer says "nothing": None or an empty text or collection. Zero and False are answers."""
    return data is None or (isinstance(data, str | bytes | list | tuple | dict | set | frozenset) and not data)


def classify_error(error: BaseException) -> Verdict:
    """The verdict on what a tool raised: the SDK's own failures, HTTP status errors, lost connections; else a bug."""
    for cause in _causes(error):
        status = _http_status(cause)
        if status is not None:
            return _classify_status(status, cause)
        for kind, outcome in _RAISED.items():
            if isinstance(cause, kind):
                return Verdict(outcome, _advice(outcome, _said(cause)), getattr(cause, "retry_after_s", None))
    return Verdict(Outcome.ERROR, _advice(Outcome.ERROR, f"{type(error).__name__}: {_said(error)}"))


def classify_expiry(limit_s: float, *, is_abandoned: bool) -> Verdict:
    """The verdict on a call that was stopped at its hard budget, or left behind because it would not stop."""
    said = f"no answer within {seconds(limit_s)}"
    if is_abandoned:
        said += "; it did not stop and was left behind, still working"
    return Verdict(Outcome.TIMEOUT, _advice(Outcome.TIMEOUT, said))


def seconds(value: float) -> str:
    """A duration for people: `10 s`, `0.5 s`."""
    return f"{value:.3g} s"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what it was raised from. Client libraries wrap the refused connection in an OSError of their own,
    some without `from`; for other errors the context says only what else was going on."""
    seen: BaseException | None = error
    for _ in range(8):
        if seen is None:
            return
        yield seen
        seen = seen.__cause__ or (seen.__context__ if isinstance(seen, OSError) else None)


def _http_status(error: BaseException) -> int | None:
    """The HTTP status that an error carries, in the ways of httpx, requests, aiohttp, urllib and the model clients."""
    response = getattr(error, "response", None)
    for holder, name in ((response, "status_code"), (error, "status_code"), (error, "status"), (error, "code")):
        status = getattr(holder, name, None)
        if isinstance(status, int) and not isinstance(status, bool) and status in range(400, 600):
            return int(status)
    return None


def _classify_status(status: int, error: BaseException) -> Verdict:
    phrase = http.HTTPStatus(status).phrase if status in http.HTTPStatus._value2member_map_ else ""
    said = f"HTTP {status} {phrase}".strip()
    if status in (401, 403):
        return Verdict(Outcome.AUTH_FAILED, _advice(Outcome.AUTH_FAILED, said))
    if status == http.HTTPStatus.REQUEST_TIMEOUT:
        return Verdict(Outcome.TIMEOUT, _advice(Outcome.TIMEOUT, said))
    if status == http.HTTPStatus.TOO_MANY_REQUESTS or status >= http.HTTPStatus.INTERNAL_SERVER_ERROR:
        return Verdict(Outcome.DEGRADED, _advice(Outcome.DEGRADED, said), _retry_after(error))
    return Verdict(Outcome.ERROR, _advice(Outcome.ERROR, said))


def _retry_after(error: BaseException) -> float | None:
    headers = getattr(getattr(error, "response", None), "headers", None)
    return retry_after_s(headers.get("retry-after", "")) if headers is not None else None


def retry_after_s(header: str) -> float | None:
    """Seconds of a `Retry-After` header; its date form is read as absent, because clocks differ."""
    return float(header) if header.isascii() and header.isdigit() else None


def _advice(outcome: Outcome, said: str) -> str:
    return prepare_text(_ADVICE[outcome].format(said=said))


def _said(error: BaseException) -> str:
    return prepare_text(error, 1_024).strip() or type(error).__name__
