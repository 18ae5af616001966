"""Leak incidents, as people may see them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db.models import Prefetch, Q, QuerySet

from agentconsole.errors import BadRequestError, NotFoundError
from runs.models import Span
from traces.models import LeakIncident, LeakSource, Severity

INCIDENTS_A_PAGE = 50
STATES = ("open", "closed")


@dataclass(frozen=True, slots=True)
class LeakFilter:
    """What the list is narrowed to."""

    state: str
    severity: str
    environment: str
    environments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LeakPage:
    """Incidents, open ones worst first, closed ones newest first, and the `before` of the page after them."""

    incidents: Sequence[LeakIncident]
    next_before: str = ""


@dataclass(frozen=True, slots=True)
class LeakPlace:
    """A source of an incident, with the name of the span that it was last in, where that is still kept."""

    source: LeakSource
    span_name: str


def leak_filter_of(params: Mapping[str, str], visible: Sequence[str]) -> LeakFilter:
    """The filter that a URL's query asks for. BadRequestError, NotFoundError."""
    state = params.get("state", "").strip() or "open"
    if state not in STATES:
        raise BadRequestError(f"state={state} is none of: {', '.join(STATES)}.")
    severity = params.get("severity", "").strip().upper()
    if severity and severity not in Severity.labels:
        raise BadRequestError(f"severity={severity} is none of: {', '.join(Severity.labels)}.")
    environment = params.get("environment", "").strip()
    if environment and environment not in visible:
        raise NotFoundError(f"There is no environment {environment}, or you can't see it.")
    return LeakFilter(state, severity, environment, (environment,) if environment else tuple(visible))


def leak_page(chosen: LeakFilter, before: str = "") -> LeakPage:
    """A page of incidents, each with its sources. Two queries. BadRequestError for a damaged `before`."""
    found = LeakIncident.objects.filter(environment__in=chosen.environments, closed_at__isnull=chosen.state == "open")
    if chosen.severity:
        found = found.filter(severity=Severity[chosen.severity])
    found = _after(found, chosen.state, before)
    order = ("severity", "-last_seen_at", "-id") if chosen.state == "open" else ("-closed_at", "-id")
    sources = Prefetch("sources", LeakSource.objects.select_related("agent").order_by("-last_seen_at", "id"))
    incidents = list(found.order_by(*order).prefetch_related(sources)[: INCIDENTS_A_PAGE + 1])
    page = incidents[:INCIDENTS_A_PAGE]
    return LeakPage(page, _cursor(page[-1]) if len(incidents) > INCIDENTS_A_PAGE else "")


def _cursor(incident: LeakIncident) -> str:
    at = (incident.closed_at or incident.last_seen_at).astimezone(UTC)
    return f"{incident.severity}_{at:%Y%m%dT%H%M%S.%f}_{incident.id.hex}"


def _after(found: QuerySet[LeakIncident], state: str, before: str) -> QuerySet[LeakIncident]:
    if not before:
        return found
    try:
        severity, at_text, incident = before.split("_")
        at = datetime.strptime(at_text, "%Y%m%dT%H%M%S.%f").replace(tzinfo=UTC)
        last: dict[str, Any] = {"severity": int(severity), "id": UUID(incident)}
    except ValueError as error:
        raise BadRequestError("That page's address is damaged. Go back to the first page.") from error
    if state == "closed":
        return found.filter(Q(closed_at__lt=at) | Q(closed_at=at, id__lt=last["id"]))
    newer = Q(last_seen_at__lt=at) | Q(last_seen_at=at, id__lt=last["id"])
    return found.filter(Q(severity__gt=last["severity"]) | Q(severity=last["severity"]) & newer)


def leak_for(incident_id: UUID, environments: Sequence[str]) -> tuple[LeakIncident, list[LeakPlace]]:
    """An incident and where its secret came from, newest first. Three queries. NotFoundError, whether it exists or not."""
    incident = LeakIncident.objects.filter(id=incident_id, environment__in=environments).first()
    if incident is None:
        raise NotFoundError("There is no such incident, or it is in an environment that you can't see.")
    sources = list(incident.sources.select_related("agent").order_by("-last_seen_at", "id"))
    spans = Q(pk__in=[])
    for one in sources:
        if one.run_id and one.span_id:
            spans |= Q(run_id=one.run_id, span_id=one.span_id)
    found = Span.objects.filter(spans).values_list("run_id", "span_id", "name")
    names: dict[tuple[UUID | None, str], str] = {(run, span): name for run, span, name in found}
    return incident, [LeakPlace(one, names.get((one.run_id, one.span_id), "")) for one in sources]


def open_p1(limit: int) -> list[tuple[UUID, str]]:
    """Ids and environments of open P1 incidents, newest first, in every environment. One query, by the index leak_open."""
    found = LeakIncident.objects.filter(closed_at=None, severity=Severity.P1).order_by("-last_seen_at", "-id")
    return list(found.values_list("id", "environment_id")[:limit])
