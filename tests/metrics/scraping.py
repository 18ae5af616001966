"""A scrape of `/metrics` over ASGI, and what its text says."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from agentconsole import metrics
from agentconsole.asgi import application

Moved = Callable[..., float]


@dataclass(frozen=True)
class Scrape:
    """An answer of the door."""

    status: int
    headers: dict[str, str]
    text: str

    def value(self, name: str, **labels: str) -> float | None:
        """The sample of a name with exactly these labels."""
        samples = (sample for family in text_string_to_metric_families(self.text) for sample in family.samples)
        return next((one.value for one in samples if (one.name, one.labels) == (name, labels)), None)


async def scrape(*, client: Any = ("127.0.0.1", 50000), method: str = "GET", **headers: str) -> Scrape:
    """Ask for /metrics from an address, with headers by name."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return await asyncio.Future()

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    named = {"host": "localhost", **headers}
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in named.items()]
    scope = {"type": "http", "method": method, "path": "/metrics", "query_string": b"", "headers": pairs}
    await application({**scope, "client": client}, receive, send)
    answered = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return Scrape(sent[0]["status"], answered, b"".join(part.get("body", b"") for part in sent[1:]).decode())


def values(text: str, name: str) -> dict[str, float]:
    """The samples of a name by their labels' values, in the order of the labels' names."""
    samples = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
    found = [sample for sample in samples if sample.name == name]
    return {" ".join(value for _label, value in sorted(one.labels.items())): one.value for one in found}


def counted(name: str, **labels: str) -> float:
    """What this process counted so far: the sum of a sample over all labels that are not given."""
    samples = (sample for family in metrics.DECLARED.collect() for sample in family.samples)
    return sum(one.value for one in samples if one.name == name and labels.items() <= one.labels.items())
