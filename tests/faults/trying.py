"""One cell of the matrix, tried: broken under work, watched, repaired, and reckoned up."""

import time
from dataclasses import dataclass, field

from tests.faults.breaking import FAULTS
from tests.faults.consoles import BreakableConsole
from tests.faults.judging import Course, Judged, is_whole, judge, named_by
from tests.faults.matrix import ENDINGS, Cell, Turns
from tests.faults.reckoning import Reckoning, Told, reckon
from tests.faults.watching import Watching, look_at
from tests.faults.work import Work, working
from tests.processes.running import wait_for

READY_WITHIN_S = 90
# Whatever heals by itself does so within one more lease of the longest; a process has to start first.
BACK_WITHIN_S = 35
STARTED_WITHIN_S = 45
# After it was noticed it stays broken for a while; where nothing need be noticed, for longer than any check takes.
HOLD_S = 2
HOLD_UNNOTICED_S = 12


@dataclass
class Tried:
    """What came of a cell; `wrong` in words."""

    cell: Cell
    judged: Judged = field(default_factory=Judged)
    reckoning: Reckoning | None = None
    wrong: list[str] = field(default_factory=list)


def try_cell(console: BreakableConsole, cell: Cell, number: int) -> Tried:
    """Try it. AssertionError if it can't be tried to its end."""
    wait_for("the console is ready", lambda: is_ready(console), within_s=READY_WITHIN_S)
    with working(console.door, console.folder / f"cell-{number}") as work:
        before = console.main_pids()
        judged = judge(break_and_repair(console, cell))
        wrong = [*judged.wrong, *ended(console, cell, before)]
        work.await_flow("work goes on after the repair")
        work.finish()
        wrong += [f"{type(error).__name__}: {error}" for error in work.broken]
    told = told_to(work)
    reckoning = reckon(told, console.kept(list(told.numbers)))
    return Tried(cell, judged, reckoning, [*wrong, *reckoning.wrong])


def is_ready(console: BreakableConsole) -> bool:
    """Whether all its web processes are."""
    return all(look_at(url).is_ready for url in console.urls)


def break_and_repair(console: BreakableConsole, cell: Cell) -> Course:
    """Break the part, wait until that is noticed, repair it, wait until all is well; or for as long as each may take."""
    with Watching(console.urls) as watching:
        broken_at = time.monotonic()

        def so_far(repaired_at: float = 0.0) -> Course:
            return Course(cell, console.urls, broken_at, repaired_at, watching.since(broken_at))

        with FAULTS[cell.fault](console, cell.part):
            if cell.turns in (Turns.ALL, Turns.OWN):
                watching.wait_until(lambda: is_noticed(so_far()), cell.within_s)
                watching.wait_until(lambda: False, HOLD_S)
            else:
                watching.wait_until(lambda: False, HOLD_UNNOTICED_S)
            repaired_at = time.monotonic()
        within_s = STARTED_WITHIN_S if cell.fault in ENDINGS else BACK_WITHIN_S
        watching.wait_until(lambda: is_back(so_far(repaired_at)), within_s)
        return so_far(repaired_at)


def is_noticed(course: Course) -> bool:
    """Whether everybody concerned has named it."""
    return all(named_by(course.of(url), course.cell) for url in course.affected)


def is_back(course: Course) -> bool:
    """Whether everybody said ready when last looked at, by evidence from after the repair."""
    looks = [course.of(url)[-1:] for url in course.urls]
    return all(own and is_whole(own[0], course.repaired_at) for own in looks)


def ended(console: BreakableConsole, cell: Cell, before: dict[str, int]) -> list[str]:
    """The parts whose process ended, and that were not broken themselves."""
    after = console.main_pids()
    may = {cell.part}
    if console.shape == "embedded" and cell.part in ("worker", "beat"):
        may = {"worker", "beat"}  # one process with its child
    changed = sorted({name for name in before if after.get(name) != before[name]} - may)
    return [f"did not survive it: {', '.join(changed)}"] if changed else []


def told_to(work: Work) -> Told:
    """What those at work were told, and did."""
    return Told(
        numbers={
            work.sender.run_id: work.sender.acknowledged,
            work.recorded.run_id: range(work.recorded.emitted),
        },
        decisions=dict(work.person.acknowledged),
        asked=list(work.agent.asked),
        claims=list(work.agent.effects),
        effects=work.effects.read_text(encoding="utf-8").split(),
    )
