"""What the health page shows."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agentconsole.health.board import Board, ComponentReport, Fault, HealthReport
from agentconsole.health.minutes import WHOLE
from agentconsole.health.strips import Strip, last_recorded_fault, recorded_minutes, strip_of
from agentconsole.health.words import reasons
from agentconsole.protocol.proof import lease_used


@dataclass(frozen=True, slots=True)
class Part:
    """A component on the page."""

    name: str
    title: str
    report: ComponentReport
    proven_at: datetime | None
    fault: Fault | None
    strip: Strip

    @property
    def used(self) -> int:
        """How much of its lease its evidence has used up, in percent."""
        return lease_used(self.report["age_s"], self.report["lease_s"])


def health_page(board: Board, report: HealthReport, now: datetime) -> dict[str, Any]:
    """The context of the page. One query."""
    minutes = recorded_minutes(now)
    titles = {component.name: component.title for component in board.components}
    parts = [
        Part(
            name,
            title,
            report["components"][name],
            board.proven_at(name),
            board.last_fault(name) or _recorded(last_recorded_fault(name, minutes)),
            strip_of(name, minutes, now),
        )
        for name, title in titles.items()
    ]
    why = reasons(report, titles)
    return {
        "report": report,
        "parts": parts,
        "now": now,
        "why": [reason for reason in why if reason.is_critical],
        "beside": [reason for reason in why if not reason.is_critical],
        "whole": strip_of(WHOLE, minutes, now),
        "http_status": 200 if report["status"] == "ready" else 503,
        "answer": json.dumps(report, indent=2),
    }


def _recorded(found: tuple[datetime, str] | None) -> Fault | None:
    return Fault(*found) if found else None
