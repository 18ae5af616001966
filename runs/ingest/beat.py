"""An agent instance's signs of life, and what it says of its components."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.db import transaction
from django.utils import timezone

from agentconsole.logconf import get_logger
from agentconsole.protocol.lines import one_line
from agentconsole.protocol.redaction import Hit
from agentconsole.protocol.times import iso
from runs.ingest.clean import Cleaner
from runs.ingest.wire import Beat
from runs.models import AgentInstance, InstanceBeat
from runs.vitals import parts_of

log = get_logger(__name__)

BOOTS_KEPT = 8
_NEVER = datetime.min.replace(tzinfo=UTC)


class CleanBeat(NamedTuple):
    """A valid beat, and its components without secrets."""

    beat: Beat
    components: list[dict[str, Any]]


def clean_beat(beat: Beat) -> tuple[CleanBeat, list[Hit]]:
    """A beat as it may be stored, and what was redacted of it."""
    cleaner = Cleaner()
    told = [part.model_dump() for part in beat.components]
    components = cleaner.structure({"components": told}, "beat")["components"]
    for part in components:
        part.update(detail=one_line(part["detail"]), failure=one_line(part["failure"]))
    return CleanBeat(beat, components), cleaner.hits


def record_beats(instance: AgentInstance, beats: Sequence[CleanBeat], sent_at: datetime | None) -> int:
    """Fold the beats of a batch into what is known of the instance; how many were news. One row, written once."""
    if not beats:
        return 0
    now = timezone.now()
    with transaction.atomic():
        locked = AgentInstance.objects.select_for_update().get(id=instance.id)
        kept = locked.last_beat
        was_ready = kept is not None and _is_ready(kept, now)
        state = kept or InstanceBeat(instance=locked, beat_at=_NEVER, boot_at=now)
        news = sum([fold_beat(state, one, received_at=now, sent_at=sent_at) for one in beats])
        if news:
            state.save(force_insert=kept is None)
    if news:
        _tell(instance, state, was_known=kept is not None, was_ready=was_ready, now=now)
    return news


def fold_beat(state: InstanceBeat, one: CleanBeat, *, received_at: datetime, sent_at: datetime | None) -> bool:
    """Take a beat over. False if it is a repeat, or was overtaken by a later one.

    When it was is reckoned from when it came: less how long it waited at the sender, both ends of which the sender's own
    clock measured. So no clock but the console's says that an instance lives, and nothing is ever dated ahead of it.
    """
    beat, boot = one.beat, str(one.beat.boot)
    boots: dict[str, int] = dict(state.boots)
    is_same_process = bool(state.boots) and state.boots[-1][0] == boot
    if beat.number <= boots.get(boot, -1):
        return False
    at = received_at - _waited(beat.at, sent_at or received_at)
    others = [[name, number] for name, number in boots.items() if name != boot]
    if not is_same_process and at < state.beat_at:
        # Another process has been heard of since: remembered, so that it stays overtaken.
        state.boots = [[boot, beat.number], *others][-BOOTS_KEPT:]
        return False
    state.boots = [*others, [boot, beat.number]][-BOOTS_KEPT:]
    if not is_same_process:
        state.boot_at, state.idle_since = at, None
    known = {part["name"]: part for part in state.components} if is_same_process else {}
    state.components = [_component(part, known.get(part["name"]), at) for part in one.components]
    state.beat_at, state.lease_s = max(at, state.beat_at), beat.lease_s
    state.stopped_at = at if beat.ended else None
    state.runs = beat.runs
    state.idle_since = None if beat.runs else state.idle_since or at
    return True


def _waited(at: datetime, sent_at: datetime) -> timedelta:
    return max(sent_at - at, timedelta())


def _component(part: Mapping[str, Any], known: Mapping[str, Any] | None, at: datetime) -> dict[str, Any]:
    age_s, is_failing = part["age_s"], bool(part["failure"])
    since = known["failing_since"] if known and known["failure"] else None
    return {
        "name": part["name"],
        "critical": part["critical"],
        "lease_s": part["lease_s"],
        "detail": part["detail"],
        "failure": part["failure"],
        "declared_at": known["declared_at"] if known else iso(at),
        "proven_at": None if age_s is None else iso(at - timedelta(seconds=age_s)),
        "failing_since": (since or iso(at)) if is_failing else None,
    }


def _is_ready(state: InstanceBeat, now: datetime) -> bool:
    return all(part.is_ok for part in parts_of(state.components, now) if part.is_critical)


def _tell(instance: AgentInstance, state: InstanceBeat, *, was_known: bool, was_ready: bool, now: datetime) -> None:
    """Log what has changed; a beat like the one before says nothing."""
    named = {"agent": instance.agent.name, "instance": instance.name}
    if state.stopped_at is not None:
        log.info("AGENT_STOPPED", **named)
        return
    is_ready = _is_ready(state, now)
    if is_ready and not was_ready and was_known:
        log.info("AGENT_READY", **named)
    elif not is_ready and (was_ready or not was_known):
        failing = [part.name for part in parts_of(state.components, now) if part.is_critical and not part.is_ok]
        log.warning("AGENT_NOT_READY", components=failing, **named)
