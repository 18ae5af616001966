"""The matrix as it is printed."""

from collections.abc import Iterator

from tests.faults.trying import Tried

COLUMNS = "fault, part|503 after|bound|names|back after|items kept|decisions|executed|twice|verdict"
WIDTHS = (30, 10, 7, 28, 11, 12, 10, 9, 6, 0)


def heading() -> str:
    """The table's first lines."""
    line = _line(COLUMNS.split("|"))
    return f"{line}\n{'-' * (len(line) + 8)}"


def row(tried: Tried) -> str:
    """One cell, and under it what is wrong with it."""
    reckoning = tried.reckoning
    kept, decided, effects, twice = ("-", "-", "-", "-")
    if reckoning:
        kept = f"{reckoning.stored}/{reckoning.acknowledged}"
        decided = f"{reckoning.audited}/{reckoning.decided}"
        effects, twice = str(reckoning.effects), str(reckoning.twice)
    seen = [
        tried.cell.title, _seconds(tried.judged.noticed_s), f"{tried.cell.within_s} s", ", ".join(sorted(tried.judged.named)) or "-",
        _seconds(tried.judged.back_s), kept, decided, effects, twice, "FAILED" if tried.wrong else "ok",
    ]  # fmt: skip
    return "\n".join([_line(seen), *(f"    {words}" for words in tried.wrong)])


def _line(texts: list[str]) -> str:
    return "".join(_cells(texts)).rstrip()


def _cells(texts: list[str]) -> Iterator[str]:
    for text, width in zip(texts, WIDTHS, strict=True):
        yield f"{text:<{width}} "


def _seconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds:.1f} s"
