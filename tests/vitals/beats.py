"""Beats as an instance sends them."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from agentconsole.protocol.ids import uuid7
from tests.cast import AgentCaller
from tests.pages.runs import ago

Item = dict[str, Any]


def component(name: str = "slack thread", **more: Any) -> Item:
    return {"name": name, "critical": True, "lease_s": 30, "age_s": 0, **more}


def beat(*components: Item, boot: str | None = None, number: int = 1, **more: Any) -> Item:
    return {
        "type": "agent.beat", "id": str(uuid7()), "at": ago(0), "boot": boot or str(uuid4()), "number": number,
        "components": list(components), **more,
    }  # fmt: skip


def startup(*missing: str, at_ago_s: float = 0, **more: Any) -> Item:
    told = {"expected": ["logs", *missing], "loaded": ["logs"]}
    lacks = [{"name": name, "reason": "no key"} for name in missing]
    return {"type": "agent.startup", "id": str(uuid7()), "at": ago(at_ago_s), **told, "missing": lacks, **more}


def later(at: datetime, seconds: float) -> datetime:
    return at + timedelta(seconds=seconds)


def rejected(agent: AgentCaller, *items: Item) -> list[str]:
    """The messages of the items that the console refused."""
    return [one["message"] for one in agent.send(*items).json()["rejected"]]
