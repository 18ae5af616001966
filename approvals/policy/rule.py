"""A rule: what it matches, and what it says then."""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from approvals.policy.path import UnjudgeableError
from approvals.policy.predicate import Predicate
from approvals.policy.words import Answer, Mode, Risk

START_WITHIN_S = 300
# The fields that hold globs.
GLOBS = ("environments", "agents", "tools", "servers", "operations")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What rules look at in a request. `arguments` are exact JSON."""

    environment: str
    agent: str
    tool: str
    server: str
    operation: str
    risk: Risk | None
    arguments: dict[str, Any]
    is_delegation_verified: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule of a policy. Globs are case-sensitive; an empty list matches anything."""

    name: str
    environments: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    servers: tuple[str, ...] = ()
    operations: tuple[str, ...] = ()
    risks: tuple[Risk, ...] = ()
    arguments: tuple[Predicate, ...] = ()
    answer: Answer
    mode: Mode = Mode.STRICT
    approvals: int = 1
    denials: int = 1
    group: str = ""
    decide_within_s: int | None = None
    start_within_s: int = START_WITHIN_S
    needs_delegation: bool = False
    needs_fresh_login: bool = False
    excluded: tuple[str, ...] = ()

    def matches(self, facts: Facts) -> bool:
        """Whether every condition of the rule holds. UnjudgeableError if that hangs on one that can't be told."""
        return (
            _any(self.environments, facts.environment)
            and _any(self.agents, facts.agent)
            and _any(self.tools, facts.tool)
            and _any(self.servers, facts.server)
            and _any(self.operations, facts.operation)
            and (not self.risks or (facts.risk or Risk.MEDIUM) in self.risks)
            and _all(self.arguments, facts.arguments)
        )


def _any(globs: tuple[str, ...], text: str) -> bool:
    return not globs or any(fnmatchcase(text, glob) for glob in globs)


def _all(predicates: tuple[Predicate, ...], arguments: dict[str, Any]) -> bool:
    """Whether all hold. One that doesn't settles it, whatever can't be told of the others."""
    untold: UnjudgeableError | None = None
    for predicate in predicates:
        try:
            if not predicate.holds(arguments):
                return False
        except UnjudgeableError as error:
            untold = error
    if untold is not None:
        raise untold
    return True
