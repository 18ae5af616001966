"""From JSON to rules, with every problem named at once, in words that stand beside a field of the editor."""

from collections import Counter
from collections.abc import Callable
from typing import Any, ClassVar, TypedDict

from agentconsole.errors import ConsoleError
from agentconsole.protocol.exact_json import shown_key
from approvals.policy import fields as read
from approvals.policy.predicate import Predicate
from approvals.policy.rule import GLOBS, START_WITHIN_S, Rule
from approvals.policy.words import Answer, Mode

RULES_MAX = 200
DAY_S = 86_400
FIELDS = frozenset(
    {
        "name", *GLOBS, "risks", "arguments", "answer", "mode", "approvals", "denials", "group", "decide_within_s",
        "start_within_s", "needs_delegation", "needs_fresh_login", "excluded",
    }
)  # fmt: skip


class Problem(TypedDict):
    """What is wrong with a field of a rule; `rule` counts from 0."""

    rule: int
    field: str
    message: str


class InvalidPolicyError(ConsoleError):
    """Rules that can't come into force. `problems` names each."""

    code: ClassVar[str] = "invalid_policy"
    http_status: ClassVar[int] = 400
    title: ClassVar[str] = "These rules have mistakes"

    def __init__(self, problems: list[Problem]) -> None:
        first = problems[0]
        more = f" ({len(problems) - 1} more)" if len(problems) > 1 else ""
        super().__init__(f"Rule {first['rule'] + 1}, {first['field']}: {first['message']}{more}", problems=problems)
        self.problems = problems


class _FieldError(ValueError):
    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def parse_rules(rules: object) -> tuple[Rule, ...]:
    """The rules that a list of JSON objects spells. InvalidPolicyError with every problem."""
    if not isinstance(rules, list) or len(rules) > RULES_MAX:
        raise InvalidPolicyError([{"rule": 0, "field": "rules", "message": f"is a list of at most {RULES_MAX} rules"}])
    readers = [_Reader(value) for value in rules]
    parsed = [reader.rule() for reader in readers]
    # By what was read, not by what is right: a name is taken also by a rule that has another mistake.
    names = Counter(reader.name for reader in readers)
    problems: list[Problem] = []
    for number, reader in enumerate(readers):
        problems += [{"rule": number, "field": error.field, "message": str(error)} for error in reader.errors]
        if reader.name and names[reader.name] > 1:
            problems.append({"rule": number, "field": "name", "message": "is taken by another rule"})
    if problems:
        raise InvalidPolicyError(problems)
    return tuple(rule for rule in parsed if rule is not None)


class _Reader:
    """Reads one rule and remembers what is wrong with it."""

    def __init__(self, value: object) -> None:
        self.errors: list[_FieldError] = []
        self.name = ""
        self.value: dict[str, Any] = value if isinstance(value, dict) else {}
        if not isinstance(value, dict):
            self.errors.append(_FieldError("rule", "is an object"))

    def rule(self) -> Rule | None:
        """The rule, or None if anything was wrong."""
        for name in sorted(map(str, self.value.keys() - FIELDS)):
            self.errors.append(_FieldError(shown_key(name), "is no field of a rule"))
        self.name = self._get("name", read.read_name, "")
        fields = {name: self._get(name, read.read_globs, ()) for name in GLOBS}
        answer = self._get("answer", read.word(Answer), None)
        mode = self._get("mode", read.word(Mode), Mode.STRICT)
        fields |= {
            "name": self.name,
            "risks": self._get("risks", read.read_risks, ()),
            "arguments": self._get("arguments", read.read_predicates, ()),
            "mode": mode,
            "approvals": self._get("approvals", read.whole(1, 20), 1),
            "denials": self._get("denials", read.whole(1, 20), 1),
            "group": self._get("group", read.read_group, ""),
            "decide_within_s": self._get("decide_within_s", read.whole(10, 7 * DAY_S), None),
            "start_within_s": self._get("start_within_s", read.whole(10, DAY_S), START_WITHIN_S),
            "needs_delegation": self._get("needs_delegation", read.read_switch, default=False),
            "needs_fresh_login": self._get("needs_fresh_login", read.read_switch, default=False),
            "excluded": self._get("excluded", read.read_paths, ()),
        }
        self._refuse_contradictions(fields, answer)
        return None if self.errors else Rule(answer=answer, **fields)

    def _get(self, name: str, reader: Callable[[Any], Any], default: Any) -> Any:
        value = self.value.get(name)
        if value is None:
            return default
        try:
            read.refuse_unstorable(value)
            return reader(value)
        except ValueError as error:
            self.errors.append(_FieldError(name, str(error)))
            return default

    def _refuse_contradictions(self, fields: dict[str, Any], answer: Answer | None) -> None:
        said = {error.field for error in self.errors}
        if not fields["name"] and "name" not in said:
            self.errors.append(_FieldError("name", "is needed: people read it in the queue"))
        if answer is None and "answer" not in said:
            self.errors.append(_FieldError("answer", "is allow, deny or ask"))
        if fields["mode"] is Mode.PENDING and answer is Answer.ALLOW:
            self.errors.append(_FieldError("mode", "pending is always decided by people: it can't go with allow"))
        if fields["excluded"] and fields["mode"] is not Mode.COMPAT:
            self.errors.append(_FieldError("excluded", "only compat lets arguments drift"))


def to_json(rule: Rule) -> dict[str, Any]:
    """A rule as `parse_rules` reads it, without what is as by default."""
    plain = Rule(name="", answer=rule.answer)
    fields = {name: getattr(rule, name) for name in Rule.__slots__ if getattr(rule, name) != getattr(plain, name)}
    fields = {name: list(value) if isinstance(value, tuple) else value for name, value in fields.items()}
    if rule.arguments:
        fields["arguments"] = [_predicate_json(predicate) for predicate in rule.arguments]
    return {"name": rule.name, "answer": rule.answer.value, **fields, **_plain_words(rule)}


def _plain_words(rule: Rule) -> dict[str, Any]:
    words: dict[str, Any] = {"answer": rule.answer.value, "mode": rule.mode.value}
    if rule.risks:
        words["risks"] = [risk.value for risk in rule.risks]
    return words


def _predicate_json(predicate: Predicate) -> dict[str, Any]:
    said = {"path": predicate.path.text, "op": predicate.op}
    return said if predicate.op in ("exists", "missing") else {**said, "value": predicate.value}
