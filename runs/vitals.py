"""How an instance stands: what tells the ready from the degraded, the idle from the dead, the stopped from the gone. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from agentconsole.protocol.proof import Evidence, Judgement, judge, lease_used
from runs.lacks import Lacks
from runs.models import AgentInstance, InstanceBeat
from runs.wording import duration_text

# One that never beat: whether it lives is not known, only when its credential was last used.
SILENT_AFTER = timedelta(days=1)
NOTHING = Lacks()


@dataclass(frozen=True, slots=True)
class Part:
    """A component that an instance declared, and how it stands."""

    name: str
    is_critical: bool
    lease_s: float
    proven_at: datetime | None
    judged: Judgement

    @property
    def is_ok(self) -> bool:
        """Whether it is proven."""
        return self.judged.status == "ok"

    @property
    def sentence(self) -> str:
        """What is wrong with it, or what its last proof said, in words."""
        judged = self.judged
        if judged.status == "stale":
            return f"not proven for {duration_text((judged.age_s or 0) * 1000)}, a proof counts for {self.lease_s:g} s"
        return judged.detail

    @property
    def used(self) -> int:
        """How much of its lease its evidence has used up, in percent."""
        return lease_used(self.judged.age_s, self.lease_s)


@dataclass(frozen=True, slots=True)
class Standing:
    """The word for an instance's state, since when, and what it rests on.

    `revoked`, `expired`: its credential opens nothing. `unseen`: never used. `gone`: no sign of life within its lease.
    `stopped`: it said goodbye. `not_ready`: a critical component is not proven. `degraded`: it started without some of its
    tools. `idle`: ready, and no run under way. `ready`: it works, and every critical component is proven. `seen`: its
    credential was used within a day, and it sends no beats.
    """

    word: str
    since: datetime | None
    parts: tuple[Part, ...] = ()
    lacks: Lacks = NOTHING

    @property
    def is_alive(self) -> bool:
        """Whether it gave a sign of life that still counts."""
        return self.word in ("not_ready", "degraded", "idle", "ready")

    @property
    def is_degraded(self) -> bool:
        """Whether it works with less than it should have: tools are missing, or a critical component is not proven."""
        return self.word == "not_ready" or (bool(self.lacks) and self.word not in ("revoked", "expired", "unseen"))

    @property
    def unproven(self) -> list[Part]:
        """The critical components that are not proven."""
        return [part for part in self.parts if part.is_critical and not part.is_ok]


def standing_of(instance: AgentInstance, now: datetime) -> Standing:
    """How an instance stands at `now`. Of what is true at once, the first of this order is its word."""
    beat, lacks = instance.last_beat, Lacks.of(instance.missing_tools)
    parts = parts_of(beat.components, now) if beat else ()
    word, since = _word(instance, beat, parts, lacks, now)
    return Standing(word, since, parts, lacks)


def _word(
    instance: AgentInstance, beat: InstanceBeat | None, parts: Sequence[Part], lacks: Lacks, now: datetime
) -> tuple[str, datetime | None]:
    if instance.revoked_at is not None:
        return "revoked", instance.revoked_at
    if not instance.is_usable(now):
        return "expired", instance.expires_at
    if beat is None:
        return _word_without_beats(instance, lacks, now)
    if beat.stopped_at is not None:
        return "stopped", beat.stopped_at
    if judge(Evidence(beat.beat_at, beat.lease_s), now).status != "ok":
        return "gone", beat.beat_at
    return _word_of_the_living(instance, beat, parts, lacks)


def _word_of_the_living(
    instance: AgentInstance, beat: InstanceBeat, parts: Sequence[Part], lacks: Lacks
) -> tuple[str, datetime | None]:
    unproven = [part.judged.since for part in parts if part.is_critical and not part.is_ok]
    if unproven:
        return "not_ready", min((since for since in unproven if since), default=None)
    if lacks:
        return "degraded", instance.started_at
    return ("ready", beat.boot_at) if beat.runs else ("idle", beat.idle_since)


def _word_without_beats(instance: AgentInstance, lacks: Lacks, now: datetime) -> tuple[str, datetime | None]:
    if instance.last_used_at is None:
        return "unseen", None
    if now - instance.last_used_at > SILENT_AFTER:
        return "gone", instance.last_used_at
    return ("degraded", instance.started_at) if lacks else ("seen", instance.last_used_at)


def parts_of(components: Sequence[Mapping[str, Any]], now: datetime) -> tuple[Part, ...]:
    """The components of a beat as they stand: what is not proven first, then the critical ones."""
    parts = [_part(component, now) for component in components]
    return tuple(sorted(parts, key=lambda part: (part.is_ok, not part.is_critical)))


def _part(kept: Mapping[str, Any], now: datetime) -> Part:
    proven_at = _time(kept["proven_at"])
    evidence = Evidence(
        proven_at,
        kept["lease_s"],
        detail=kept["detail"],
        failure=kept["failure"],
        failing_since=_time(kept["failing_since"]),
        watched_since=_time(kept["declared_at"]),
        unproven="declared, and not proven yet",
    )
    return Part(kept["name"], kept["critical"], kept["lease_s"], proven_at, judge(evidence, now))


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
