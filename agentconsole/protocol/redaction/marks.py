"""What stands where a secret was, and what is told of it."""

from dataclasses import dataclass

OPENING = "[REDACTED:"


@dataclass(frozen=True, slots=True)
class Hit:
    """One secret that was taken out: which detector found it, and where (`arguments.headers.0`)."""

    detector: str
    place: str


def marker(detector: str) -> str:
    """What stands where the secret was."""
    return f"{OPENING}{detector}]"


def is_marked(text: str) -> bool:
    """Whether a text begins with the marker of a secret that was taken out before."""
    return text.startswith(OPENING)
