"""The policy in force, what it says of an action, and how a new version comes into force."""

from dataclasses import dataclass
from typing import Any, ClassVar

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone

from agentconsole.errors import ConsoleError
from agentconsole.logconf import get_logger
from agentconsole.protocol.exact_json import parse_exact
from approvals.models import Action, PolicyVersion
from approvals.policy import Facts, Risk, Rule, Terms, judge, parse_rules, stricter, to_json
from approvals.services import audit
from approvals.services.fresh_logins import FreshLoginRequiredError
from approvals.services.refusals import refusals_audited

log = get_logger(__name__)


class StalePolicyError(ConsoleError):
    """Somebody else put a version in force since this one was begun."""

    code: ClassVar[str] = "stale_policy"
    http_status: ClassVar[int] = 409
    title: ClassVar[str] = "The policy has changed meanwhile"


@dataclass(frozen=True, slots=True)
class Policy:
    """A version of the policy, read. Version 0 has no rules: everything asks one person, strictly."""

    number: int
    rules: tuple[Rule, ...]

    def terms_for(self, facts: Facts) -> Terms:
        """What this version says of a request."""
        return judge(self.rules, facts, policy_version=self.number)


def active_policy() -> Policy:
    """The version in force. One query."""
    newest = PolicyVersion.objects.order_by("-number").first()
    return Policy(newest.number, parse_rules(newest.rules)) if newest else Policy(0, ())


def facts_of(action: Action) -> Facts:
    """What rules look at in an action that was asked."""
    return Facts(
        environment=action.environment_id,
        agent=action.agent.name,
        tool=action.tool,
        server=action.server,
        operation=action.operation,
        risk=Risk(action.risk) if action.risk else None,
        arguments=parse_exact(action.arguments),
        is_delegation_verified=action.is_delegation_verified,
    )


def terms_now(action: Action) -> Terms:
    """The stricter of the terms under which the action was asked and those of the policy in force. One query."""
    return stricter(Terms.from_json(action.terms), active_policy().terms_for(facts_of(action)))


def save_policy(
    *, person: User, rules: list[Any], comment: str, base_number: int, is_fresh_login: bool
) -> PolicyVersion:
    """Put a new version in force: it may approve by itself, so it takes the password as approving a high risk does.

    InvalidPolicyError with every problem; FreshLoginRequiredError; StalePolicyError unless it was begun on the newest. Each
    refusal is in the audit chain.
    """
    with refusals_audited("POLICY_REFUSED", actor=f"person:{person.username}", about="policy"):
        return _save(person, rules, comment, base_number, is_fresh_login=is_fresh_login)


def _save(person: User, rules: list[Any], comment: str, base_number: int, *, is_fresh_login: bool) -> PolicyVersion:
    if not is_fresh_login:
        raise FreshLoginRequiredError(
            "A policy decides in people's place. Enter your password once more to put it in force."
        )
    parsed = [to_json(rule) for rule in parse_rules(rules)]
    stale = StalePolicyError(
        f"The policy is no longer version {base_number}. Load it again and make your change there.", base=base_number
    )
    if active_policy().number != base_number:
        raise stale
    try:
        with transaction.atomic():
            saved = PolicyVersion.objects.create(
                number=base_number + 1,
                rules=parsed,
                comment=comment[:500],
                created_at=timezone.now(),
                created_by=person,
            )
            audit.append(
                "POLICY_SAVED",
                actor=f"person:{person.username}",
                object_id=f"policy:{saved.number}",
                data={"number": saved.number, "rules": parsed, "comment": saved.comment},
            )
    except IntegrityError as error:
        raise stale from error
    log.info("POLICY_SAVED", number=saved.number, rules=len(parsed), person=person.username)
    return saved
