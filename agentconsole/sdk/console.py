"""The console as an agent sees it: where runs begin and where their items go."""

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, ParamSpec, Self

import httpx
import structlog

from agentconsole.protocol.beats import BEAT_S, BEATS_A_LEASE
from agentconsole.protocol.context import RequestContext, Transport, current_context
from agentconsole.protocol.ids import is_request_id, is_trace_id, new_request_id, new_trace_id
from agentconsole.sdk import exits, items
from agentconsole.sdk.buffer import Buffer
from agentconsole.sdk.circuit import Circuit, Circuits
from agentconsole.sdk.components import Check, Component
from agentconsole.sdk.delivery import Delivery
from agentconsole.sdk.drops import Drops
from agentconsole.sdk.heartbeat import Heartbeat
from agentconsole.sdk.journal import Journal
from agentconsole.sdk.post import Post
from agentconsole.sdk.recorder import Recorder
from agentconsole.sdk.retry import DEFAULT_RETRY, Retry
from agentconsole.sdk.run import Run
from agentconsole.sdk.vitals import Vitals

log = structlog.get_logger(__name__)
P = ParamSpec("P")

EXIT_DEADLINE_S = 5.0
DAY_S = 86_400


class Console:
    """One agent instance's connection to its console. Make one per process and keep it.

    Without a URL or a token it is off: runs, budgets and envelopes work the same, nothing is recorded, and it says so
    once. It never raises for what goes wrong on the way to the console.
    """

    def __init__(
        self,
        url: str = "",
        token: str = "",
        *,
        journal_dir: str | Path | None = None,
        retry: Retry | None = None,
        make_circuit: Callable[[], Circuit] = Circuit,
        exit_deadline_s: float = EXIT_DEADLINE_S,
        beat_s: float = BEAT_S,
    ) -> None:
        if not 0 < beat_s * BEATS_A_LEASE <= DAY_S:
            raise ValueError(f"a console needs 0 < beat_s <= {DAY_S // BEATS_A_LEASE}, got {beat_s}")
        self.retry = retry or DEFAULT_RETRY
        self.circuits = Circuits(make_circuit)
        self._make_circuit = make_circuit
        self.heartbeat = Heartbeat()
        self.exit_deadline_s = exit_deadline_s
        self._url = url
        self._token = token
        self._journal_dir = Path(journal_dir) if journal_dir else None
        self._abandoned: list[Callable[[], bool]] = []
        self._abandoning = threading.Lock()
        self._delivery = self._connect()
        self._recorder = Recorder(self._delivery)
        self._vitals = self._make_vitals(beat_s)
        exits.register(self)

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """The console of `CONSOLE_URL`, with the instance credential `CONSOLE_TOKEN` and, where it is set, a journal in
        the directory `CONSOLE_JOURNAL`."""
        return cls(
            environ.get("CONSOLE_URL", ""), environ.get("CONSOLE_TOKEN", ""),
            journal_dir=environ.get("CONSOLE_JOURNAL") or None,
        )  # fmt: skip

    @property
    def is_on(self) -> bool:
        """Whether anything is recorded."""
        return self._delivery is not None

    @property
    def endpoint(self) -> tuple[str, str] | None:
        """URL and credential, or None where the console is off."""
        return None if _why_off(self._url, self._token) else (self._url, self._token)

    @property
    def abandoned_threads(self) -> int:
        """Tools that would not stop at their hard budget and are still working."""
        with self._abandoning:
            self._abandoned = [is_working for is_working in self._abandoned if is_working()]
            return len(self._abandoned)

    def abandon(self, is_still_working: Callable[[], bool]) -> None:
        """Count a tool that was left behind."""
        with self._abandoning:
            self._abandoned.append(is_still_working)

    def startup(
        self,
        *,
        expected: Sequence[str] = (),
        loaded: Sequence[str] = (),
        missing: Mapping[str, str] | None = None,
        version: str = "",
    ) -> None:
        """Report what this instance was to load, loaded, and could not, with the reason. What was expected and is neither
        loaded nor explained counts as missing. From now on the instance gives signs of life."""
        unexplained = {name: "not loaded" for name in expected if name not in loaded}
        missing = {**unexplained, **(missing or {})}
        self.record(items.agent_startup, expected=expected, loaded=loaded, missing=missing, version=version)
        if missing:
            log.warning("AGENT_DEGRADED", missing=sorted(missing))
        else:
            log.info("AGENT_STARTED", loaded=len(loaded))
        if self.is_on:
            self._vitals.start()

    def component(
        self,
        name: str,
        *,
        critical: bool = True,
        lease_s: float = 30.0,
        check: Check | None = None,
        every_s: float | None = None,
        timeout_s: float = 5.0,
    ) -> Component:
        """Declare a part that this agent needs; the instance is ready only while every critical one is proven. A proof
        (`beat()`, or a `check` that returns) counts for `lease_s`.

        `check`, a plain or a coroutine function, is called every `every_s` (a third of the lease) in a thread of its own. It
        fails by raising, by returning False, or by taking longer than `timeout_s`; a text that it returns is shown.
        ValueError for a name that is no name or taken, for more than 32, and for times that make no sense.
        """
        component = Component(
            name, critical=critical, lease_s=lease_s, check=check, every_s=every_s, timeout_s=timeout_s,
            stir=self._vitals.stir,
        )  # fmt: skip
        self._vitals.declare(component, is_on=self.is_on)
        return component

    def run(
        self,
        *,
        query: str = "",
        transport: Transport | str | None = None,
        subject: str | None = None,
        on_behalf_of: str | None = None,
        request_id: str | None = None,
        session_id: str | None = None,
        trace_id: str | None = None,
        deadline_s: float | None = None,
        heartbeat_s: float = 5.0,
        lease_s: float = 30.0,
        attributes: Mapping[str, Any] | None = None,
    ) -> Run:
        """A run, to be used as a context manager. What is not given comes from the ambient request context, if there is
        one; of two deadlines the earlier holds. ValueError for a transport that does not exist, and where not
        0 < heartbeat_s <= lease_s <= a day."""
        if not 0 < heartbeat_s <= lease_s <= DAY_S:
            raise ValueError(f"a run needs 0 < heartbeat_s <= lease_s <= {DAY_S}, got {heartbeat_s} and {lease_s}")
        ambient = current_context() or RequestContext.mint(Transport(transport or Transport.CLI))
        context = RequestContext(
            request_id=_sane_request_id(request_id, ambient.request_id),
            transport=Transport(transport or ambient.transport),
            actor=ambient.actor,
            subject=subject or ambient.subject,
            on_behalf_of=on_behalf_of or ambient.on_behalf_of,
            environment=ambient.environment,
            session_id=session_id or ambient.session_id,
            trace_id=next((known for known in (trace_id or "", ambient.trace_id) if is_trace_id(known)), "")
            or new_trace_id(),
            deadline=_earlier(ambient.deadline, deadline_s),
        )
        return Run(self, context, query=query, heartbeat_s=heartbeat_s, lease_s=lease_s, attributes=attributes or {})

    def record(self, build: Callable[P, dict[str, Any]], *args: P.args, **kwargs: P.kwargs) -> None:
        """Hand over the item that `build` makes."""
        self._recorder.record(build, *args, **kwargs)

    def flush(self, deadline_s: float = EXIT_DEADLINE_S) -> bool:
        """Whether everything that was recorded so far was delivered within the deadline."""
        return self._delivery is None or self._delivery.flush(deadline_s)

    def close(self, deadline_s: float | None = None) -> None:
        """Deliver what is left, within the deadline, and stop. Happens by itself when the process ends."""
        exits.unregister(self)
        self._vitals.stop()
        if self._delivery is not None:
            self._delivery.close(self.exit_deadline_s if deadline_s is None else deadline_s)

    def cancel_runs(self, reason: str) -> None:
        """End the open runs, because the process ends."""
        for run in self.heartbeat.runs():
            if isinstance(run, Run):
                run.finish("cancelled", error=reason)

    def after_fork(self) -> None:
        """In the child of a fork: start afresh. The parent's threads are not here, and its items are its own."""
        if self._delivery is not None:
            self._delivery.forget()
            self._delivery = self._connect()
        self._recorder = Recorder(self._delivery)
        self.heartbeat = Heartbeat()
        self._vitals = self._make_vitals(self._vitals.beat_s)
        self.circuits = Circuits(self._make_circuit)
        self._abandoning, self._abandoned = threading.Lock(), []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Console {self._url or 'off'}>"

    def _make_vitals(self, beat_s: float) -> Vitals:
        delivery = self._delivery
        return Vitals(
            self.record, self.heartbeat.take_count, lambda: delivery is not None and delivery.is_cut_off, beat_s=beat_s
        )

    def _connect(self) -> Delivery | None:
        reason = _why_off(self._url, self._token)
        if reason:
            log.warning("SDK_OFF", reason=reason)
            return None
        drops = Drops()
        return Delivery(Post(self._url, self._token), self._open_journal(drops), Buffer(drops), drops)

    def _open_journal(self, drops: Drops) -> Journal | None:
        if self._journal_dir is None:
            return None
        try:
            return Journal(self._journal_dir, drops)
        except OSError as error:
            log.warning("SDK_JOURNAL_FAILED", reason=type(error).__name__, errno=error.errno)
            return None


def _why_off(url: str, token: str) -> str:
    if not url:
        return "CONSOLE_URL is not set"
    if not token:
        return "CONSOLE_TOKEN is not set"
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        return "CONSOLE_URL is not a URL"
    return "" if parsed.scheme in ("http", "https") and parsed.host else "CONSOLE_URL is not an http or https URL"


def _sane_request_id(offered: str | None, ambient: str) -> str:
    """The offered id where the console would take it; a request id comes from outside and may be anything."""
    if offered is None:
        return ambient
    if is_request_id(offered):
        return offered
    minted = new_request_id()
    log.warning("SDK_VALUE_REPLACED", field="request_id", replaced_by=minted)
    return minted


def _earlier(ambient: datetime | None, deadline_s: float | None) -> datetime | None:
    own = None if deadline_s is None else datetime.now(UTC) + timedelta(seconds=deadline_s)
    return min((at for at in (ambient, own) if at is not None), default=None)
