"""What a rule is tried on."""

from typing import Any

from agentconsole.protocol.exact_json import parse_exact
from approvals.policy import Facts, Terms, judge, parse_path, parse_rules
from approvals.policy.predicate import Predicate


def facts(**more: Any) -> Facts:
    """A restart in prod."""
    usual = {
        "environment": "prod", "agent": "deployer", "tool": "k8s.restart", "server": "k8s", "operation": "restart",
        "risk": None, "arguments": parse_exact('{"n": 3, "s": "checkout", "l": [1, {"x": 2}]}'),
        "is_delegation_verified": False,
    }  # fmt: skip
    return Facts(**{**usual, **more})


def says(rule: dict[str, Any], **more: Any) -> Terms:
    """What one rule, which denies unless told otherwise, says."""
    return judge(parse_rules([{"name": "r", "answer": "deny", **rule}]), facts(**more), policy_version=7)


def holds(path: str, op: str, value: Any, arguments: str) -> bool:
    """Whether a comparison holds for arguments written as JSON."""
    return Predicate(parse_path(path), op, value).holds(parse_exact(arguments))
