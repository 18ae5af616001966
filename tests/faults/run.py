"""The matrix of one shape, from its first cell to its last."""

import os
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from tests.faults.breaking import why_not
from tests.faults.consoles import BreakableConsole, distributed, embedded
from tests.faults.matrix import Cell, cells
from tests.faults.table import heading, row
from tests.faults.trying import Tried, try_cell

CONSOLES = {"embedded": embedded, "distributed": distributed}


def run_matrix(shape: str, folder: Path, *, only: str = "", is_short: bool = False) -> int:
    """Try the cells, print each as it ends; how many failed."""
    chosen = [cell for cell in cells(shape) if is_chosen(cell, only, is_short=is_short)]
    left_out = {cell: reason for cell in chosen if (reason := why_not(cell.fault, shape))}
    chosen = [cell for cell in chosen if cell not in left_out]
    failed = 0
    print(f"\n{shape}\n{heading()}", flush=True)
    left = deque(enumerate(chosen))
    while left:
        # One console for all cells, and a new one after a cell that failed: it may have left anything behind.
        with CONSOLES[shape](folder / f"from-{left[0][0]}") as console:
            for tried in try_until_one_fails(console, left):
                failed += bool(tried.wrong)
                print(row(tried), flush=True)
    for cell, reason in left_out.items():
        print(f"LEFT OUT: {cell.title}: {reason}", flush=True)
    print(f"{shape}: {len(chosen)} cells, {failed} failed, {len(left_out)} left out", flush=True)
    return failed + (len(left_out) if os.environ.get("REQUIRE_ALL") == "1" else 0)


def is_chosen(cell: Cell, only: str, *, is_short: bool) -> bool:
    """Whether a cell is asked for."""
    return any(words in cell.title for words in only.split("|")) and (cell.is_short or not is_short)


def try_until_one_fails(console: BreakableConsole, left: deque[tuple[int, Cell]]) -> Iterator[Tried]:
    """What came of each cell; those that were tried are taken away."""
    while left:
        number, cell = left.popleft()
        tried = try_one(console, cell, number)
        yield tried
        if tried.wrong:
            return


def try_one(console: BreakableConsole, cell: Cell, number: int) -> Tried:
    """A cell; what breaks the harness itself is a failure of the cell, and not the end of the matrix."""
    try:
        return try_cell(console, cell, number)
    except Exception as error:  # noqa: BLE001
        return Tried(cell, wrong=[f"{type(error).__name__}: {error}"])
