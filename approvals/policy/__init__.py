"""The policy, pure: rules, what they say of a request, which terms are stricter, what drifted."""

from approvals.policy.doubts import warnings_about
from approvals.policy.drift import Change, changes
from approvals.policy.dryrun import DryRun, Replayed, dry_run
from approvals.policy.parse import InvalidPolicyError, Problem, parse_rules, to_json
from approvals.policy.path import PathError, parse_path, without
from approvals.policy.rule import Facts, Rule
from approvals.policy.terms import Terms, is_at_least_as_strict, judge, stricter
from approvals.policy.words import Answer, Mode, Risk

__all__ = [
    "Answer",
    "Change",
    "DryRun",
    "Facts",
    "InvalidPolicyError",
    "Mode",
    "PathError",
    "Problem",
    "Replayed",
    "Risk",
    "Rule",
    "Terms",
    "changes",
    "dry_run",
    "is_at_least_as_strict",
    "judge",
    "parse_path",
    "parse_rules",
    "stricter",
    "to_json",
    "warnings_about",
    "without",
]
