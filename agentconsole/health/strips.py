"""The last 24 hours of a component as a strip: spells of one state, drawn and in words. What nobody recorded is shown as that."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from agentconsole.health.minutes import MINUTE, WHOLE, minute_of
from agentconsole.models import HealthMinute

SHOWN = timedelta(hours=24)
# Of some 60 looks a minute. Fewer prove what went wrong, and not that nothing did.
LEAST_SAMPLES = 30
NO_RECORD = "unknown"
WORDS = {"ok": "ok", "stale": "stale", "failing": "failing", NO_RECORD: "no record"}
WORDS_OF_WHOLE = WORDS | {"ok": "ready", "failing": "not ready"}
LEAST_WIDTH = 5
NAMED = 5


@dataclass(frozen=True, slots=True)
class Spell:
    """One state from a minute to a minute, and where it is drawn: a minute is one unit wide, what is wrong never under five."""

    state: str
    word: str
    since: datetime
    until: datetime
    number: int

    @property
    def x(self) -> int:
        """Where it begins, moved so that it ends within the drawing."""
        return min(self.number, SHOWN // MINUTE - self.width)

    @property
    def minutes(self) -> int:
        """How long."""
        return (self.until - self.since) // MINUTE

    @property
    def width(self) -> int:
        """In units of the drawing."""
        return self.minutes if self.state in ("ok", NO_RECORD) else max(LEAST_WIDTH, self.minutes)

    @property
    def text(self) -> str:
        """`not ready 02:10–02:14`; the strip's first spell goes back further than is known: `no record until 02:14`."""
        until = f"{self.until.astimezone(UTC):%H:%M}"
        return (
            f"{self.word} until {until}"
            if self.number == 0
            else f"{self.word} {self.since.astimezone(UTC):%H:%M}–{until}"
        )


@dataclass(frozen=True, slots=True)
class Strip:
    """Spells that fill [since, until) without a gap."""

    since: datetime
    until: datetime
    spells: Sequence[Spell]

    @property
    def middle(self) -> datetime:
        """The middle of the axis."""
        return self.since + (self.until - self.since) / 2

    @property
    def drawn(self) -> list[Spell]:
        """The spells in the order of drawing: what is wrong lies on top, however short it was."""
        return sorted(self.spells, key=lambda spell: ("ok", NO_RECORD, "stale", "failing").index(spell.state))

    @property
    def text(self) -> str:
        """What there was but what should be, the last of it; times in UTC."""
        wrong = [spell for spell in self.spells if spell.state != "ok"]
        if len(self.spells) == 1:
            return f"{self.spells[0].word} all the time"
        more = [f"{len(wrong) - NAMED} more before"] if len(wrong) > NAMED else []
        return ", ".join([*more, *(spell.text for spell in wrong[-NAMED:])])

    @property
    def label(self) -> str:
        """The accessible name: `24 h: not ready 02:10–02:14`."""
        return f"24 h: {self.text}"


def recorded_minutes(now: datetime) -> dict[datetime, HealthMinute]:
    """What is recorded of the last 24 hours. One query, at most 1,440 rows."""
    until = minute_of(now)
    rows = HealthMinute.objects.filter(minute__gte=until - SHOWN, minute__lt=until)
    return {row.minute: row for row in rows.order_by("minute")}


def strip_of(name: str, minutes: Mapping[datetime, HealthMinute], now: datetime) -> Strip:
    """A component's strip. The minute that is not over yet is left out: the board tells the present."""
    until = minute_of(now)
    since = until - SHOWN
    words = WORDS_OF_WHOLE if name == WHOLE else WORDS
    spells: list[Spell] = []
    for number in range(SHOWN // MINUTE):
        at = since + number * MINUTE
        state = _state(name, minutes.get(at))
        begun = spells.pop() if spells and spells[-1].state == state else Spell(state, words[state], at, at, number)
        spells.append(Spell(state, begun.word, begun.since, at + MINUTE, begun.number))
    return Strip(since, until, spells)


def _state(name: str, row: HealthMinute | None) -> str:
    state = row.states.get(name, NO_RECORD) if row else NO_RECORD
    return NO_RECORD if row and state == "ok" and row.samples < LEAST_SAMPLES else str(state)


def last_recorded_fault(name: str, minutes: Mapping[datetime, HealthMinute]) -> tuple[datetime, str] | None:
    """The latest minute in which a component was failing, and its words."""
    found = ((row.minute, str(row.faults[name])) for row in reversed(list(minutes.values())) if name in row.faults)
    return next(found, None)
