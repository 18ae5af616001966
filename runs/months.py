"""Months as ranges of run ids: what one partition of a run's log holds. Pure."""

import re
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from agentconsole.protocol.ids import first_uuid7

_SUFFIX = re.compile(r".+_(\d{4})_(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A calendar month of UTC. Run ids are UUIDv7, so its runs are those from `first_id` to just before `end_id`."""

    year: int
    number: int

    @classmethod
    def of(cls, at: datetime) -> Self:
        """The month of a time."""
        in_utc = at.astimezone(UTC)
        return cls(in_utc.year, in_utc.month)

    @classmethod
    def told_by(cls, name: str) -> Self | None:
        """The month that ends the name of a partition (`…_2026_11`), None if none does."""
        found = _SUFFIX.fullmatch(name)
        return cls(int(found[1]), int(found[2])) if found else None

    def __str__(self) -> str:
        return f"{self.year:04}_{self.number:02}"

    @property
    def following(self) -> Self:
        """The month after it."""
        carried, index = divmod(self.number, 12)
        return type(self)(self.year + carried, index + 1)

    @property
    def start(self) -> datetime:
        """Its first moment."""
        return datetime(self.year, self.number, 1, tzinfo=UTC)

    @property
    def first_id(self) -> uuid.UUID:
        """The least id of a run that began in it."""
        return first_uuid7(self.start)

    @property
    def end_id(self) -> uuid.UUID:
        """The least id of a run that began after it."""
        return self.following.first_id
