"""The tools that an instance lacked at a moment, as a run or an action keeps it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

TOOLS_KEPT = 20
REASON_KEPT = 200


@dataclass(frozen=True, slots=True)
class Lacks:
    """The first TOOLS_KEPT missing tools as (name, reason), and how many were missing in all."""

    tools: tuple[tuple[str, str], ...] = ()
    count: int = 0

    def __bool__(self) -> bool:
        return self.count > 0

    @classmethod
    def of(cls, missing: Sequence[Mapping[str, str]]) -> "Lacks":
        """What a startup summary lacked."""
        kept = tuple((tool.get("name", ""), tool.get("reason", "")[:REASON_KEPT]) for tool in missing[:TOOLS_KEPT])
        return cls(kept, len(missing))

    @classmethod
    def from_json(cls, kept: Mapping[str, Any] | None) -> "Lacks":
        """What `to_json` gave."""
        if kept is None:
            return cls()
        return cls(tuple((name, reason) for name, reason in kept.get("tools", [])), kept.get("count", 0))

    def to_json(self) -> dict[str, Any] | None:
        """As it is stored: nothing where nothing was missing."""
        return {"count": self.count, "tools": [list(tool) for tool in self.tools]} if self else None

    @property
    def names(self) -> list[str]:
        """The names of the tools that are kept."""
        return [name for name, _reason in self.tools]

    @property
    def more(self) -> int:
        """How many are missing beyond those that are kept."""
        return self.count - len(self.tools)

    def __str__(self) -> str:
        return ", ".join(self.names) + (f" and {self.more} more" if self.more else "")
