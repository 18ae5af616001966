"""What a reviewer is shown and decides on, whole; its digest is kept with the vote."""

import hashlib
from dataclasses import asdict, dataclass, fields, is_dataclass
from typing import Any

from agentconsole.protocol.fingerprint import canonical_json, fingerprint_of, read_envelope
from approvals.policy import Change, Terms
from approvals.presentation.picture import Picture, picture
from approvals.presentation.values import Row, rows
from approvals.presentation.visible import Visible, visible

WARNINGS_MAX = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a quorum is: who said what so far."""

    approvals: tuple[str, ...] = ()
    denials: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownChange:
    """A difference, its texts made visible."""

    path: Visible
    kind: str
    before: Visible | None
    after: Visible | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Presentation:
    """An action as a reviewer sees it. Everything but the agent's claims comes from the canonical bytes or the console."""

    fingerprint: str
    version: int
    agent: Visible
    instance: Visible
    on_behalf_of: Visible | None
    is_delegation_verified: bool
    operation: Visible
    tool: Visible
    server: Visible | None
    resource: Visible | None
    environment: Visible
    schema_digest: Visible | None
    arguments: tuple[Row, ...]
    risk: str
    reasoning: Visible | None
    summary: Visible | None
    terms: Terms
    progress: Progress
    drift: tuple[ShownChange, ...]
    warnings: tuple[str, ...]
    deadline_at: str

    @property
    def picture(self) -> Picture:
        """The fingerprint's picture."""
        return picture(self.fingerprint)


def present(
    canonical: bytes,
    *,
    version: int,
    instance: str,
    is_delegation_verified: bool,
    risk: str,
    reasoning: str,
    summary: str,
    terms: Terms,
    progress: Progress,
    drift: list[dict[str, Any]],
    deadline_at: str,
) -> Presentation:
    """The presentation of an action. ValueError if the bytes are not canonical."""
    envelope = read_envelope(canonical)
    table = rows(envelope.arguments)
    texts = {
        "agent": visible(envelope.agent),
        "operation": visible(envelope.operation),
        "tool": visible(envelope.tool),
        "environment": visible(envelope.environment),
        "on_behalf_of": _some(envelope.on_behalf_of),
        "server": _some(envelope.server),
        "resource": _some(envelope.resource),
        "schema_digest": _some(envelope.schema_digest),
    }
    prose = {"instance": visible(instance), "reasoning": _some(reasoning), "summary": _some(summary)}
    changes = tuple(shown_change(change) for change in drift)
    return Presentation(
        fingerprint=fingerprint_of(canonical),
        version=version,
        is_delegation_verified=is_delegation_verified,
        arguments=table,
        risk=risk,
        terms=terms,
        progress=progress,
        drift=changes,
        warnings=_warnings({**texts, **prose}, table, changes),
        deadline_at=deadline_at,
        **texts,  # type: ignore[arg-type]  # those that are never empty are never None
        **prose,  # type: ignore[arg-type]
    )


def shown_change(change: Change | dict[str, Any]) -> ShownChange:
    """A change of `approvals.policy.changes`, as it is or as it was stored, made visible."""
    stored = asdict(change) if isinstance(change, Change) else change
    return ShownChange(
        path=visible(stored["path"]),
        kind=stored["kind"],
        before=None if stored["before"] is None else visible(stored["before"]),
        after=None if stored["after"] is None else visible(stored["after"]),
    )


def _some(text: str) -> Visible | None:
    return visible(text) if text else None


def _warnings(
    texts: dict[str, Visible | None], table: tuple[Row, ...], drift: tuple[ShownChange, ...]
) -> tuple[str, ...]:
    """What to beware of, each with its place; past WARNINGS_MAX their number. Each place carries its own escapes besides."""
    found = [f"{name.replace('_', ' ')} {warning}" for name, text in texts.items() if text for warning in text.warnings]
    for row in table:
        found += [f"{row.path}: {warning}" for warning in _said(row.name, row.value)]
    for change in drift:
        found += [
            f"difference at {change.path.safe}: {warning}"
            for warning in _said(change.path, change.before, change.after)
        ]
    told = list(dict.fromkeys(found))
    if len(told) > WARNINGS_MAX:
        told[WARNINGS_MAX:] = [f"and {len(told) - WARNINGS_MAX} more warnings of this kind, marked at their places"]
    return tuple(told)


def _said(*texts: Visible | None) -> tuple[str, ...]:
    return tuple(warning for text in texts if text for warning in text.warnings)


def folds(shown: Presentation) -> frozenset[str]:
    """What has to be opened before it may be approved."""
    return frozenset(row.fold_id for row in shown.arguments if row.fold_id)


def digest(shown: Presentation) -> str:
    """`sha256:` and the hex digest of exactly what is shown. Anything that differs for the reader's eyes makes it another one."""
    return "sha256:" + hashlib.sha256(canonical_json(_json(shown))).hexdigest()


def _json(value: Any) -> Any:
    """As plain JSON. A text is told by what it is and what is shown of it: told piece by piece, hostile ones cost seconds."""
    if isinstance(value, Visible):
        return {"text": value.original, "shown": value.safe, "warnings": list(value.warnings)}
    if is_dataclass(value):
        return {field.name: _json(getattr(value, field.name)) for field in fields(value)}
    return [_json(item) for item in value] if isinstance(value, tuple) else value
