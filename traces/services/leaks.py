"""Leak incidents: opened by what redaction took out, closed by people."""

import hashlib
import hmac
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from agentconsole.errors import BadRequestError, ConsoleError, NotFoundError
from agentconsole.logconf import get_logger
from agentconsole.protocol.times import iso
from runs.models import AgentInstance
from runs.services.findings import Finding
from runs.signals import step_taken
from traces.models import LeakIncident, LeakSource, Severity

log = get_logger(__name__)

SOURCES_KEPT = 50
HISTORY_KEPT = 50
SECRETS_A_BATCH = 100
_WORD_CHARS = 200
_Place = tuple[UUID, str, str]  # incident, source, place
# What opens doors by itself, as it stands: somebody holds a live session or key.
_GRAVEST = frozenset({
    "authorization_header", "bearer_token", "basic_credential", "cookie_header", "private_key",
})  # fmt: skip
# Known by a name alone, or by what it decodes to: often no more than a test's password.
_VAGUE = frozenset({"field_name", "base64"})


class AlreadyClosedError(ConsoleError):
    """Somebody else closed the incident first."""

    code: ClassVar[str] = "already_closed"
    http_status: ClassVar[int] = 409
    title: ClassVar[str] = "Closed already"


def severity_of(finding: Finding) -> Severity:
    """P1: a header's credential or a private key that a tool was given or gave. P3: known by its name alone. Else P2."""
    if finding.hit.detector in _GRAVEST and finding.is_tool:
        return Severity.P1
    return Severity.P3 if finding.hit.detector in _VAGUE else Severity.P2


def record_findings(findings: Sequence[Finding], *, door: str, instance: AgentInstance) -> None:
    """Open an incident for each secret that has none, open it again where it was closed, and remember where it came from.

    One transaction of a bounded number of statements, of SECRETS_A_BATCH secrets at most: who sends more in one batch sends rubbish. Two batches with one secret make one incident: whoever comes second finds it.
    """
    environment = instance.agent.environment_id
    by_hash: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        key = _secret_hash(finding, instance)
        if key in by_hash or len(by_hash) < SECRETS_A_BATCH:
            by_hash[key].append(finding)
    now = timezone.now()
    with transaction.atomic():
        blank = [_blank(environment, key, found[0], now) for key, found in sorted(by_hash.items())]
        LeakIncident.objects.bulk_create(blank, ignore_conflicts=True)
        known = LeakIncident.objects.filter(environment=environment, secret_hash__in=by_hash)
        incidents = list(known.select_for_update().order_by("secret_hash"))
        for incident in incidents:
            _fold(incident, by_hash[incident.secret_hash], now)
        changed = ["severity", "last_seen_at", "seen", "closed_at", "closed_by", "closed_reason", "history"]
        LeakIncident.objects.bulk_update(incidents, changed)
        _record_sources({one.id: by_hash[one.secret_hash] for one in incidents}, door, instance, now)


def close_leak(*, actor: str, incident_id: UUID, environments: Sequence[str], reason: str) -> LeakIncident:
    """A person has dealt with it. NotFoundError, BadRequestError without a reason, AlreadyClosedError."""
    if not reason.strip():
        raise BadRequestError("Say why: what was rotated, or why it is no secret.")
    with transaction.atomic():
        found = LeakIncident.objects.select_for_update().filter(id=incident_id, environment__in=environments)
        incident = found.first()
        if incident is None:
            raise NotFoundError("There is no such incident, or it is in an environment that you can't see.")
        if not incident.is_open:
            raise AlreadyClosedError(f"{incident.closed_by} closed this incident before you.")
        incident.closed_at, incident.closed_by = timezone.now(), actor
        incident.closed_reason = reason.strip()
        _remember(incident, "closed", incident.closed_at, by=actor, reason=incident.closed_reason)
        incident.save(update_fields=["closed_at", "closed_by", "closed_reason", "history"])
        step_taken.send(
            sender=LeakIncident,
            token="LEAK_INCIDENT_CLOSED",  # noqa: S106  a token to grep for
            actor=actor,
            object_id=f"leak:{incident.id}",
            data={
                "detector": incident.detector,
                "environment": incident.environment_id,
                "reason": incident.closed_reason,
            },
        )
    log.info("LEAK_INCIDENT_CLOSED", incident=str(incident.id), actor=actor)
    return incident


def _secret_hash(finding: Finding, instance: AgentInstance) -> str:
    known = finding.hit.digest or f"{instance.agent_id} {finding.hit.detector} {finding.hit.place}".encode()
    return hmac.new(settings.CREDENTIAL_KEY.encode(), b"leak " + known, hashlib.sha256).hexdigest()


def _blank(environment: str, secret_hash: str, finding: Finding, now: datetime) -> LeakIncident:
    return LeakIncident(
        environment_id=environment,
        secret_hash=secret_hash,
        detector=finding.hit.detector[:40],
        severity=Severity.P3,
        is_blocked_at_source=not finding.hit.digest,
        first_seen_at=now,
        last_seen_at=now,
    )


def _fold(incident: LeakIncident, found: list[Finding], now: datetime) -> None:
    if incident.seen == 0:
        log.warning("LEAK_INCIDENT_OPENED", incident=str(incident.id), detector=incident.detector)
    elif not incident.is_open:
        incident.closed_at, incident.closed_by, incident.closed_reason = None, "", ""
        _remember(incident, "seen again", now)
        log.warning("LEAK_INCIDENT_REOPENED", incident=str(incident.id), detector=incident.detector)
    incident.severity = min(incident.severity, *map(severity_of, found))
    incident.last_seen_at = max(incident.last_seen_at, now)
    incident.seen += len(found)


def _remember(incident: LeakIncident, what: str, at: datetime, **words: str) -> None:
    step: dict[str, Any] = {"at": iso(at), "what": what, **words}
    incident.history = [*incident.history, step][-HISTORY_KEPT:]


def _record_sources(found: dict[UUID, list[Finding]], door: str, instance: AgentInstance, now: datetime) -> None:
    """Where the secrets were; beyond SOURCES_KEPT places of one incident only its own count grows."""
    told: dict[_Place, list[Finding]] = defaultdict(list)
    for incident_id, many in found.items():
        for one in many:
            told[incident_id, one.source[:_WORD_CHARS], one.hit.place[:_WORD_CHARS]].append(one)
    kept = Counter(LeakSource.objects.filter(incident__in=found).values_list("incident_id", flat=True))
    mine = LeakSource.objects.filter(incident__in=found, agent=instance.agent_id, door=door)
    known = {(one.incident_id, one.source, one.place): one for one in mine}
    new = []
    for (incident_id, source, place), many in told.items():
        row = known.get((incident_id, source, place))
        if row is None:
            kept[incident_id] += 1
            if kept[incident_id] > SOURCES_KEPT:
                continue
            row = LeakSource(incident_id=incident_id, agent_id=instance.agent_id, door=door, source=source, place=place)
            new.append(row)
        _touch(row, many, now)
    LeakSource.objects.bulk_create(new)
    LeakSource.objects.bulk_update(known.values(), ["seen", "last_seen_at", "run_id", "span_id"])


def _touch(source: LeakSource, found: list[Finding], now: datetime) -> None:
    source.seen += len(found)
    source.last_seen_at = now
    if (run_id := found[-1].run_id) is not None:
        source.run_id, source.span_id = run_id, found[-1].span_id
