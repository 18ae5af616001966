"""Secrets that were taken out of what agents sent are told here, at every door alike."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from agentconsole.logconf import get_logger
from agentconsole.protocol.redaction import Hit
from runs.models import AgentInstance, SpanKind
from runs.signals import secrets_found

log = get_logger(__name__)

LEAK_TOKEN = "SECRET_LEAK_BLOCKED"  # noqa: S105  a trace event's token: the SDK says by it what it took out before sending
_SDK_WORDS = re.compile(r"([a-z0-9_]{1,40}) in (\S{1,200})\Z")


@dataclass(frozen=True, slots=True)
class Finding:
    """A secret that was taken out. `source` names what it was in (a tool, a span, a token); `is_tool` is for what a tool was given or gave.

    Without a run where none is known; one that the SDK took out itself has a hit without a digest.
    """

    hit: Hit
    run_id: UUID | None = None
    span_id: str = ""
    source: str = ""
    is_tool: bool = False


def findings_in_span(hits: Iterable[Hit], *, run_id: UUID, span_id: str, kind: str, name: str) -> list[Finding]:
    """What was found in a span."""
    return [Finding(hit, run_id, span_id, name, is_tool=kind == SpanKind.TOOL) for hit in hits]


def findings_told(found: object, *, run_id: UUID, span_id: str) -> list[Finding]:
    """What the SDK says in `found` of its SECRET_LEAK_BLOCKED (`["bearer_token in result.headers"]`). Whatever reads otherwise is skipped."""
    said = [_SDK_WORDS.match(text) for text in found if isinstance(text, str)] if isinstance(found, list) else []
    return [Finding(Hit(one[1], one[2]), run_id, span_id, is_tool=True) for one in said if one]


def report_findings(findings: Sequence[Finding], *, door: str, instance: AgentInstance) -> None:
    """Tell of secrets that came through a door (`ingest`, `otlp`, `approvals`). Nothing to tell is well."""
    if not findings:
        return
    for detector, place in {(one.hit.detector, one.hit.place) for one in findings}:
        log.warning("SECRET_LEAK_BLOCKED", detector=detector, place=place, agent=instance.agent.name, door=door)
    secrets_found.send(sender=Finding, door=door, instance=instance, findings=list(findings))
