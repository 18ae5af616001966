"""What the doctor says: one true sentence at a time, and how much it matters."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from agentconsole.sdk import Envelope


class Weight(StrEnum):
    """Whether somebody has to do something: no; look at it some time; yes."""

    FINE = "fine"
    NOTICE = "notice"
    PROBLEM = "problem"


_MARKS = {Weight.FINE: "✓", Weight.NOTICE: "!", Weight.PROBLEM: "✗"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence, and where it is not `fine`, what to do about it."""

    text: str
    weight: Weight = Weight.FINE
    advice: str = ""

    def __str__(self) -> str:
        return f"{self.text} {self.advice}".rstrip()


def listed(finding: Finding) -> str:
    """A finding as a line of a list."""
    return f"{_MARKS[finding.weight]} {finding}"


def fine(text: str) -> Finding:
    """Nothing to do."""
    return Finding(text)


def notice(text: str, advice: str) -> Finding:
    """To be looked at some time."""
    return Finding(text, Weight.NOTICE, advice)


def problem(text: str, advice: str) -> Finding:
    """To be looked at now."""
    return Finding(text, Weight.PROBLEM, advice)


def judged(envelope: Envelope, what: str, rule: Callable[[Any], Finding]) -> Finding:
    """What the rule makes of a tool's answer; of a call without one, that `what` is not known, and why."""
    if envelope.is_ok:
        return rule(envelope.data)
    return notice(f"{what}: not known, {envelope.tool} ended as {envelope.outcome}.", envelope.message)


def amount(number: int, noun: str) -> str:
    """`1 run`, `12,000 runs`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def size(count: float) -> str:
    """Bytes for people: `812 B`, `1.4 GiB`."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:  # noqa: PLR2004  the step between units
            return f"{count:.3g} {unit}" if count < 1000 else f"{count:.0f} {unit}"  # noqa: PLR2004  no 1e+03
        count /= 1024
    return f"{count:.1f} TiB"


def span_of(milliseconds: float) -> str:
    """A duration for people: `3 ms`, `1.2 s`."""
    return f"{milliseconds:.0f} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.1f} s"  # noqa: PLR2004  a second
