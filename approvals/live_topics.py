"""What stands behind the live topics `action:<id>` and `approvals:<environment>`."""

import json
import uuid
from collections.abc import Mapping
from typing import ClassVar, TypedDict

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.utils import timezone

from agentconsole.live import BadCursorError, Cursor, Page, SettledTopic, register_topic
from approvals.models import Action, ActionStatus
from approvals.queries.queue import concern_of, loaded, queue_row
from approvals.services.ending import no_such_action
from runs.access import environment_of_list, visible_environments
from runs.queries.shapes import iso

_CHUNK = 500


class ActionTopic:
    """One action; the cursor is its version. Frames say that it changed and what it is now: `{"topic", "version", "status"}`."""

    spacing_s: ClassVar[float] = 0.05
    is_ordered: ClassVar[bool] = True

    def __init__(self, name: str) -> None:
        self.name = name
        self.action_id = action_id_of(name)

    def start(self, after: object) -> Cursor:
        """`after` itself. BadCursorError unless it is a version that the action has had. One query."""
        version = Action.objects.filter(id=self.action_id).values_list("version", flat=True).first()
        if version is None:
            raise no_such_action()
        if not isinstance(after, int) or isinstance(after, bool) or not 0 <= after <= version:
            raise BadCursorError(f"`after` is a whole number from 0 to {version}. Load the page again.")
        return after

    def read(self, after: Cursor, upto: Cursor | None) -> Page:
        """The action as it is, if that is news. One query."""
        found = Action.objects.filter(id=self.action_id).values_list("version", "status").first()
        if found is None:
            raise no_such_action()
        version, status = found
        text = json.dumps({"topic": self.name, "version": version, "status": status}) if version != after else ""
        return Page(text, version)

    @classmethod
    def stale(cls, heads: Mapping[str, Cursor]) -> set[str]:
        """The actions whose version is no longer the head's. One query for each 500."""
        names = list(heads)
        now: dict[str, int] = {}
        for start in range(0, len(names), _CHUNK):
            ids = [action_id_of(name) for name in names[start : start + _CHUNK]]
            now |= {
                f"action:{key}": version
                for key, version in Action.objects.filter(id__in=ids).values_list("id", "version")
            }
        return {name for name, head in heads.items() if now.get(name) != head}


class ActionShape(TypedDict):
    """A row of the live queue. `row` is its HTML, drawn once for all who look; empty once it waits no more. So is `concern`,
    of what has to be looked into."""

    id: str
    version: int
    status: str
    deadline_at: str
    row: str
    concern: str


class ApprovalsTopic(SettledTopic):
    """The actions of an environment that changed, pending or ended."""

    part: ClassVar[str] = "actions"
    change_column: ClassVar[str] = "version"

    def rows(self) -> QuerySet[Action]:
        """The environment's actions."""
        return loaded(Action.objects.filter(environment_id=self.environment))

    def shape_of(self, row: Action) -> ActionShape:
        """The action's row, of the queue or of what has to be looked into."""
        now = timezone.now()
        is_waiting = row.status == ActionStatus.PENDING
        concern = None if is_waiting else concern_of(row, now)
        return {
            "id": str(row.id),
            "version": row.version,
            "status": row.status,
            "deadline_at": iso(row.deadline_at),
            "row": render_to_string("approvals/queue_row.html", {"row": queue_row(row, now)}) if is_waiting else "",
            "concern": render_to_string("approvals/concern_row.html", {"concern": concern}) if concern else "",
        }


def action_id_of(name: str) -> uuid.UUID:
    """The action that a topic's name shows. NotFoundError for a name of another form."""
    try:
        action_id = uuid.UUID(name.removeprefix("action:"))
    except ValueError as error:
        raise no_such_action() from error
    if name != f"action:{action_id}":
        raise no_such_action()
    return action_id


def environment_of_action(person: AbstractBaseUser | AnonymousUser, name: str) -> str:
    """The environment of an action that a person may see. NotFoundError else, whether it exists or not."""
    environment = Action.objects.filter(id=action_id_of(name)).values_list("environment_id", flat=True).first()
    if environment is None or environment not in visible_environments(person):
        raise no_such_action()
    return environment


def register() -> None:
    """Offer the topics to the hub."""
    register_topic("action", ActionTopic, environment_of=environment_of_action)
    register_topic("approvals", ApprovalsTopic, environment_of=environment_of_list)
