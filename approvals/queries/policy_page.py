"""What the policy's page shows: rules in words, versions, and what a draft would have done."""

from collections.abc import Iterator
from dataclasses import dataclass

from approvals.models import Action, PolicyVersion
from approvals.policy import Answer, DryRun, Facts, Mode, Rule, Terms, dry_run
from approvals.services.policies import facts_of
from runs.wording import duration_text

REPLAYED = 500
VERSIONS = 20


def replay(rules: tuple[Rule, ...], version: int) -> DryRun:
    """The last 500 requests under draft rules. One query."""
    return dry_run(rules, _past(), version=version)


def _past() -> Iterator[tuple[str, Facts, Terms]]:
    for action in Action.objects.select_related("agent").order_by("-created_at")[:REPLAYED]:
        yield str(action.id), facts_of(action), Terms.from_json(action.terms)


def versions() -> list[PolicyVersion]:
    """The newest versions. One query."""
    return list(PolicyVersion.objects.select_related("created_by").order_by("-number")[:VERSIONS])


@dataclass(frozen=True, slots=True)
class RuleInWords:
    """A rule as a sentence of two parts."""

    name: str
    answer: str
    when: str
    then: str


def in_words(rule: Rule) -> RuleInWords:
    """What a rule says, for people who did not write it."""
    lists = {
        "environment": rule.environments,
        "agent": rule.agents,
        "tool": rule.tools,
        "server": rule.servers,
        "operation": rule.operations,
        "risk": rule.risks,
    }
    conditions = [f"{name} is {' or '.join(globs)}" for name, globs in lists.items() if globs]
    conditions += [f"{one.path} {one.op} {'' if one.value is None else one.value}".strip() for one in rule.arguments]
    return RuleInWords(rule.name, rule.answer.value, " and ".join(conditions) or "anything", _then(rule))


def _then(rule: Rule) -> str:
    if rule.answer is Answer.DENY:
        return "it may not run"
    parts = [] if rule.answer is Answer.ALLOW else [f"{rule.approvals} approve or {rule.denials} reject"]
    parts.append(rule.mode.value)
    if rule.group:
        parts.append(f"only {rule.group}")
    if rule.decide_within_s:
        parts.append(f"decide within {duration_text(rule.decide_within_s * 1000)}")
    parts.append(f"start within {duration_text(rule.start_within_s * 1000)}")
    if rule.needs_delegation:
        parts.append("with a verified delegation")
    if rule.needs_fresh_login:
        parts.append("with the password once more")
    if rule.mode is Mode.COMPAT and rule.excluded:
        parts.append(f"{', '.join(rule.excluded)} may drift")
    return ", ".join(parts)
