"""A small picture of a fingerprint, the same wherever it appears: eyes tell two pictures apart sooner than two digests."""

from dataclasses import dataclass

CELLS = 7
COLOURS = 8


@dataclass(frozen=True, slots=True)
class Cell:
    """A filled cell; `colour` is 0 or 1, of the picture's two."""

    x: int
    y: int
    colour: int


@dataclass(frozen=True, slots=True)
class Picture:
    """Cells on a CELLS × CELLS grid, mirrored left to right; `first` and `second` number two of COLOURS palette roles."""

    cells: tuple[Cell, ...]
    first: int
    second: int
    size: int = CELLS


def picture(fingerprint: str) -> Picture:
    """The picture of a fingerprint's digest."""
    digest = bytes.fromhex(fingerprint.partition(":")[2])
    first = digest[0] % COLOURS
    second = (first + 1 + digest[1] % (COLOURS - 1)) % COLOURS
    bits = int.from_bytes(digest[2:16], "big")
    cells: list[Cell] = []
    half = (CELLS + 1) // 2
    for y in range(CELLS):
        for x in range(half):
            drawn = bits >> 2 * (y * half + x) & 3
            if drawn >= 2:  # noqa: PLR2004  two bits a cell: empty, empty, first colour, second colour
                cells.append(Cell(x, y, drawn - 2))
                if x != CELLS - 1 - x:
                    cells.append(Cell(CELLS - 1 - x, y, drawn - 2))
    return Picture(tuple(cells), first, second)
