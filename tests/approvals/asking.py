"""Actions for the tests, asked and decided the way that agents and people do."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.auth.models import User
from django.db import connection

from agentconsole.protocol.exact_json import dump_exact, parse_exact
from agentconsole.protocol.ids import uuid7
from approvals.models import Action, Verdict
from approvals.policy import parse_rules
from approvals.presentation import digest, folds
from approvals.services.asking import Asked, ask
from approvals.services.claiming import Claimed
from approvals.services.deciding import Shown, decide_action
from approvals.services.policies import active_policy, save_policy
from approvals.services.presenting import presentation_of
from approvals.submission import Submission, console_fields, seconds_of
from tests.cast import AgentCaller
from tests.processes.running import wait_for

RESTART = {"service": "checkout", "grace_s": 30}


def submission(arguments: dict[str, Any] | None = None, **fields: Any) -> Submission:
    """A request to restart checkout, or what is given."""
    context = fields.pop("context", None)
    timeout = fields.pop("timeout", "30m")
    sent = {"tool": "restart", **fields}
    exact = parse_exact(dump_exact(RESTART if arguments is None else arguments))
    own = None if context is None else parse_exact(dump_exact(context))
    return Submission(
        arguments=exact,
        timeout=timeout,
        timeout_s=seconds_of(timeout),
        context=own,
        console=console_fields(own),
        **sent,
    )


def ask_for(agent: AgentCaller, arguments: dict[str, Any] | None = None, *, key: str = "", **fields: Any) -> Action:
    """A pending action of an agent."""
    return asked_by(agent, arguments, key=key, **fields).action


def asked_by(agent: AgentCaller, arguments: dict[str, Any] | None = None, *, key: str = "", **fields: Any) -> Asked:
    """As `ask_for`, with whether it was new."""
    delegation = fields.pop("delegation", "")
    return ask(
        instance=agent.instance,
        submission=submission(arguments, **fields),
        idempotency_key=key or str(uuid7()),
        delegation=delegation,
    )


def shown(action: Action) -> Shown:
    """What a page of the action shows now, with everything opened."""
    now = Action.objects.get(id=action.id)
    seen = presentation_of(now)
    return Shown(version=now.version, presentation_digest=digest(seen), opened=folds(seen))


def decide(person: User, action: Action, verdict: Verdict = Verdict.APPROVE, note: str = "seen", **more: Any) -> Action:
    """A person's verdict on the page as it is."""
    more = {"shown": shown(action), "is_fresh_login": True, **more}
    return decide_action(person=person, action_id=action.id, verdict=verdict, note=note, **more)


@contextmanager
def person_who(person: User, verdict: Verdict = Verdict.APPROVE) -> Iterator[None]:
    """Somebody who decides on whatever comes, beside the test."""

    def watch() -> None:
        try:
            action = wait_for("a question", lambda: list(Action.objects.filter(status="pending")))[0]
            decide(person, action, verdict, "as asked")
        finally:
            connection.close()

    thread = threading.Thread(target=watch)
    thread.start()
    yield
    thread.join()


def claimed(arguments: dict[str, Any] | None = None, **fields: Any) -> Claimed:
    """What an executor says that it is about to run."""
    exact = parse_exact(dump_exact(RESTART if arguments is None else arguments))
    return Claimed(arguments=exact, **{"tool": "restart", **fields})


def policy(person: User, *rules: dict[str, Any]) -> int:
    """Put rules in force; the version's number."""
    parse_rules(list(rules))
    saved = save_policy(
        person=person, rules=list(rules), comment="test", base_number=active_policy().number, is_fresh_login=True
    )
    return saved.number
