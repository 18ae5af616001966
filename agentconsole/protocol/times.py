"""Times as the console writes them."""

from datetime import UTC, datetime


def iso(at: datetime) -> str:
    """An aware time as ISO 8601 UTC with microseconds and `Z`: such texts sort as their times do."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
