"""docs/otlp-mapping.md shows the table of conventions as it is: each row of it is a line there."""

from pathlib import Path

import pytest

from traces.mapping.conventions import FIELDS, FIRST_NAMES, LAST_NAMES, ROLES, NameRule, RoleRule, Rule
from traces.mapping.logs import LOG_RULES
from traces.mapping.unwrapping import LAYERS

DOC = Path(__file__).parents[2] / "docs" / "otlp-mapping.md"


def role_row(rule: RoleRule | NameRule) -> str:
    if isinstance(rule, NameRule):
        where = f"name begins with `{rule.prefix}`" if rule.prefix else f"name ends with `{rule.suffix}`"
        return f"| `{rule.name}` | {where} | {rule.role.value} |"
    said = "; ".join(f"{words} → {role.value}" for role, words in rule.roles.items())
    where = f"`{rule.attribute}`" + (f", only in {rule.scopes[0]}" if rule.scopes else "")
    return f"| `{rule.name}` | {where}{f', without `{rule.without}`' if rule.without else ''} | {said} |"


def field_row(field: str, rules: tuple[Rule, ...]) -> str:
    return f"| {field} | {', '.join(dict.fromkeys(f'`{rule.attribute}`' for rule in rules))} |"


ROWS = [
    *(role_row(rule) for rule in (*FIRST_NAMES, *ROLES, *LAST_NAMES)),
    *(field_row(field, rules) for field, rules in FIELDS.items()),
]


@pytest.mark.parametrize("row", ROWS)
def test_each_rule_is_documented(row: str) -> None:
    assert row in DOC.read_text().splitlines()


@pytest.mark.parametrize("name", [*LAYERS, *(name.removeprefix("claude_code.") for name in LOG_RULES)])
def test_each_wrapping_and_each_event_is_documented(name: str) -> None:
    assert f"`{name}`" in DOC.read_text()
