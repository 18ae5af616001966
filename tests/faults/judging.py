"""What was seen of a fault against what must be seen of it. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tests.faults.matrix import Cell, Names, Turns
from tests.faults.watching import Look


@dataclass(frozen=True)
class Course:
    """How a cell went: when its part was broken, when its repair began, and what was seen from the break on."""

    cell: Cell
    urls: Sequence[str]
    broken_at: float
    repaired_at: float
    looks: Sequence[Look]

    @property
    def affected(self) -> Sequence[str]:
        """The web processes that must say so. The first is the one that is broken, where one is."""
        return {Turns.ALL: self.urls, Turns.OWN: self.urls[:1]}.get(self.cell.turns, ())

    @property
    def unaffected(self) -> Sequence[str]:
        """Those that must not."""
        return {Turns.NONE: self.urls, Turns.OWN: self.urls[1:]}.get(self.cell.turns, ())

    def of(self, url: str) -> list[Look]:
        """What was seen of one web process."""
        return [look for look in self.looks if look.url == url]


@dataclass
class Judged:
    """Seconds until it was named, what was named, seconds until all were ready again, and what is wrong."""

    noticed_s: float | None = None
    named: Names = frozenset()
    back_s: float | None = None
    wrong: list[str] = field(default_factory=list)


def named_by(looks: Sequence[Look], cell: Cell) -> Look | None:
    """The first look that says that the part is broken."""
    return next((look for look in looks if not look.is_ready and look.named & cell.names), None)


def judge(course: Course) -> Judged:
    """Hold it against the cell."""
    judged = Judged()
    bad = [look for look in course.looks if not look.is_ready]
    judged.named = _union(look for look in bad if course.cell.heals_itself or look.at <= course.repaired_at)
    _judge_notice(course, bad, judged)
    _judge_return(course, bad, judged)
    if stray := _union(look for look in bad if look.url in course.unaffected):
        judged.wrong.append(f"a web process that is not concerned was not ready: {', '.join(sorted(stray))}")
    exempt = () if course.cell.is_live else course.urls[:1]
    if dead := [look for look in course.looks if look.live != 200 and look.url not in exempt]:
        judged.wrong.append(f"live was not 200 in {len(dead)} of {len(course.looks)} looks")
    return judged


def _judge_notice(course: Course, bad: Sequence[Look], judged: Judged) -> None:
    found = [named_by(course.of(url), course.cell) for url in course.affected]
    if None in found:
        wanted = " or ".join(sorted(course.cell.names))
        judged.wrong.append(f"{wanted} was not named within {course.cell.within_s} s")
    elif found:
        judged.noticed_s = max(look.at for look in found if look) - course.broken_at
    elif bad:
        judged.noticed_s = bad[0].at - course.broken_at


def _judge_return(course: Course, bad: Sequence[Look], judged: Judged) -> None:
    """Ready, and by evidence from after the repair: what was proven before it counts for a while, whether or not it is well."""
    ends = [course.of(url)[-1] for url in course.urls if course.of(url)]
    if away := [look for look in ends if not is_whole(look, course.repaired_at)]:
        words = ", ".join(sorted(_union(away))) or "nothing, but by evidence from before the repair"
        judged.wrong.append(f"not ready again: {words}")
        return
    last_bad = max((look.at for look in bad), default=0.0)
    back = [_first_whole(course.of(url), max(last_bad, course.repaired_at), course.repaired_at) for url in course.urls]
    since = course.broken_at if course.cell.heals_itself else course.repaired_at
    judged.back_s = max(back) - since


def is_whole(look: Look, repaired_at: float) -> bool:
    """Whether it says ready, and everything critical was proven after the repair."""
    return look.is_ready and look.at > repaired_at and look.proven_at >= repaired_at


def _first_whole(looks: Sequence[Look], after: float, repaired_at: float) -> float:
    return next((look.at for look in looks if look.at > after and is_whole(look, repaired_at)), after)


def _union(looks: Iterable[Look]) -> Names:
    return frozenset(name for look in looks for name in look.named)
