"""What a search is narrowed to: read from the URL."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from agentconsole.errors import BadRequestError, NotFoundError
from runs.models import SPAN_OUTCOMES
from runs.queries.run_filter import RANGES
from traces.queries.events import DEFAULT_RANGE, LEVELS

FIELDS = ("q", "tool", "outcome", "level", "agent", "environment", "range")
TEXT_CHARS = 200


@dataclass(frozen=True, slots=True)
class SearchFilter:
    """`environments` is what the person may see, narrowed to the one that was asked for."""

    values: Mapping[str, str]
    environments: tuple[str, ...]
    since: datetime

    @property
    def text(self) -> str:
        """The words that were asked for."""
        return self.values.get("q", "")

    @property
    def tool(self) -> str:
        """The tool, by its name."""
        return self.values.get("tool", "")

    @property
    def name(self) -> str:
        """The name that rows must have."""
        return self.tool

    @property
    def outcome(self) -> str:
        """A span's outcome."""
        return self.values.get("outcome", "")

    @property
    def level(self) -> str:
        """An event's level."""
        return self.values.get("level", "")

    @property
    def agent(self) -> str:
        """An agent's name."""
        return self.values.get("agent", "")

    @property
    def environment(self) -> str:
        """The one environment that was asked for, or nothing."""
        return self.values.get("environment", "")

    @property
    def range(self) -> str:
        """How far back."""
        return self.values.get("range", DEFAULT_RANGE)

    @property
    def query(self) -> str:
        """What is set, as a URL's query."""
        return urlencode([(name, self.values[name]) for name in FIELDS if name in self.values])


def search_filter_of(params: Mapping[str, str], visible: Sequence[str], now: datetime) -> SearchFilter:
    """The filter that a URL's query asks for. BadRequestError, NotFoundError."""
    values = {name: value for name in FIELDS if (value := params.get(name, "").strip().replace("\0", ""))}
    for name, known in (("range", list(RANGES)), ("level", LEVELS), ("outcome", SPAN_OUTCOMES)):
        if name in values and values[name] not in known:
            raise BadRequestError(f"{name}={values[name][:40]} is none of: {', '.join(known)}.")
    if any(len(value) > TEXT_CHARS for value in values.values()):
        raise BadRequestError(f"A search takes {TEXT_CHARS} characters at most.")
    environment = values.get("environment", "")
    if environment and environment not in visible:
        raise NotFoundError(f"There is no environment {environment}, or you can't see it.")
    environments = (environment,) if environment else tuple(visible)
    return SearchFilter(values, environments, now - RANGES[values.get("range", DEFAULT_RANGE)])
