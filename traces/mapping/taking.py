"""Takes the fields of a span out of its attributes, by the table of conventions compiled to dictionaries."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple

from traces.mapping.account import Role
from traces.mapping.conventions import (
    EVENTS,
    FIELDS,
    FIRST_NAMES,
    INDEXED,
    LAST_NAMES,
    MESSAGE_EVENTS,
    OBJECTS,
    REPEATS,
    ROLES,
    NameRule,
    RoleRule,
    Rule,
)
from traces.mapping.readers import READERS, UNTOLD
from traces.mapping.values import parsed
from traces.otlp.shapes import OtlpEvent, OtlpSpan

_INDEXED_MAX = 2_000  # attributes of numbered families that are put together
_MEMBERS_MAX = 2_000  # characters of metadata that are remembered
_FAMILIES = tuple(INDEXED)
_PREFIXES = tuple(rule.prefix for rule in FIRST_NAMES if rule.prefix)
_SUFFIXES = tuple(rule.suffix for rule in FIRST_NAMES if rule.suffix)
_PAYLOADS = frozenset({"arguments", "result"})


class _Entry(NamedTuple):
    field: str
    rank: int
    rule: Rule
    read: Callable[[Any], Any]


@dataclass(slots=True)
class Taken:
    """What a span tells by fields, which rule told each, and the attributes that are left."""

    fields: dict[str, Any] = field(default_factory=dict)
    rules: dict[str, str] = field(default_factory=dict)
    rest: dict[str, Any] = field(default_factory=dict)
    families: dict[str, dict[str, Any]] = field(default_factory=dict)  # field to its numbered attributes


def _compiled(role: Role) -> dict[str, tuple[_Entry, ...]]:
    table: dict[str, list[_Entry]] = {}
    for name, rules in FIELDS.items():
        for rank, rule in enumerate(rules):
            if not rule.roles or role in rule.roles:
                table.setdefault(rule.attribute, []).append(_Entry(name, rank, rule, READERS[rule.read]))
    return {attribute: tuple(entries) for attribute, entries in table.items()}


_TABLES = {role: _compiled(role) for role in Role}
_ROLES: tuple[tuple[RoleRule, dict[str, Role], Role | None], ...] = tuple(
    (
        rule,
        {word: role for role, words in rule.roles.items() for word in words.split()},
        next((role for role, words in rule.roles.items() if words == "*"), None),
    )
    for rule in ROLES
)


def role_of(span: OtlpSpan) -> tuple[Role, str]:
    """What a span is, and the rule that says so ("" where none does: a step)."""
    name = span.name
    if name.startswith(_PREFIXES) or name.endswith(_SUFFIXES):
        rule = next(rule for rule in FIRST_NAMES if _is_named(name, rule))
        return rule.role, rule.name
    attributes, scope = span.attributes, span.scope.name
    for told, words, any_word in _ROLES:
        value = attributes.get(told.attribute)
        if value is None or (told.scopes and not scope.startswith(told.scopes)):
            continue
        role = words.get(_word(value), any_word)
        if role is None and value == span.name:
            role = words.get("=")
        if role is not None and not (told.without and told.without in attributes):
            return role, told.name
    for rule in LAST_NAMES:
        if _is_named(name, rule):
            return rule.role, rule.name
    return Role.STEP, ""


def _is_named(name: str, rule: NameRule) -> bool:
    return name.startswith(rule.prefix) if rule.prefix else name.endswith(rule.suffix)


def _word(value: Any) -> str:
    return value.strip('"').lower().replace(" ", "_") if isinstance(value, str) else ""


def take(attributes: Mapping[str, Any], role: Role, scope: str) -> Taken:
    """The fields that a role's rules find in attributes, each read by the first rule whose value says something."""
    taken = Taken()
    rest = taken.rest
    table = _TABLES[role]
    found: dict[str, list[tuple[int, _Entry, Any]]] = {}
    for key, value in attributes.items():
        entries = table.get(key)
        if entries is not None:
            for entry in entries:
                if _applies(entry.rule, scope):
                    found.setdefault(entry.field, []).append((entry.rank, entry, value))
                    rest[key] = UNTOLD  # given back if another rule's value is taken, and differs
        elif key in OBJECTS:
            rest[key] = _take_members(key, value, table, found)
        elif key not in REPEATS and not _is_family(key, value, taken):
            rest[key] = value
    for name, candidates in found.items():
        _read(name, candidates, taken)
    taken.rest = {key: value for key, value in rest.items() if value is not UNTOLD}
    return taken


def _applies(rule: Rule, scope: str) -> bool:
    if rule.scopes:
        return scope.startswith(rule.scopes)
    return not (rule.never and scope.startswith(rule.never))


def _take_members(key: str, value: Any, table: Mapping[str, Any], found: dict[str, list[Any]]) -> Any:
    """The fields in an attribute that is a JSON object; what is left of it is no longer needed as text."""
    members = _members(value) if isinstance(value, str) and len(value) < _MEMBERS_MAX else parsed(value)
    if not isinstance(members, dict):
        return value
    left = {}
    for name, member in members.items():
        entries = table.get(f"{key}.{name}")
        if entries is None:
            left[name] = member
        else:
            for entry in entries:
                found.setdefault(entry.field, []).append((entry.rank, entry, member))
    return left or UNTOLD


@lru_cache(maxsize=256)
def _members(text: str) -> Any:
    """The same metadata stand on each span of a run. Nobody changes what is read here."""
    return parsed(text)


def _is_family(key: str, value: Any, taken: Taken) -> bool:
    if not key.startswith(_FAMILIES):
        return False
    for prefix, name in INDEXED.items():
        if key.startswith(prefix):
            members = taken.families.setdefault(name, {})
            if len(members) < _INDEXED_MAX:
                members[key[len(prefix) :]] = value
    return True


def _read(name: str, candidates: list[tuple[int, _Entry, Any]], taken: Taken) -> None:
    """The first candidate that says something gives the field. What others say, and nobody took, stays an attribute."""
    if len(candidates) > 1:
        candidates.sort(key=itemgetter(0))
    winner: Any = UNTOLD
    for _rank, entry, raw in candidates:
        attribute = entry.rule.attribute
        if winner is UNTOLD:
            value = entry.read(raw)
            if value is not UNTOLD and (value is not None or name in _PAYLOADS):
                winner = raw
                taken.fields[name] = value
                taken.rules[name] = attribute
                continue
        if raw != winner and attribute not in REPEATS and attribute in taken.rest and raw != "":
            taken.rest[attribute] = raw


class Events(NamedTuple):
    """What a span's events say: attributes that they carry, its exception (the last one), and those of no convention."""

    attributes: dict[str, Any]
    exception: Mapping[str, Any] | None
    others: list[OtlpEvent]


_NO_EVENTS = Events({}, None, [])


def take_events(events: tuple[OtlpEvent, ...]) -> Events:
    """The events of a span, sorted by what they are."""
    if not events:
        return _NO_EVENTS
    attributes: dict[str, Any] = {}
    exception: Mapping[str, Any] | None = None
    others: list[OtlpEvent] = []
    for event in events:
        if event.name == "exception":
            exception = event.attributes
        elif event.name in EVENTS:
            attributes.update({EVENTS[event.name] + key: value for key, value in event.attributes.items()})
        elif event.name in MESSAGE_EVENTS:
            key, role = MESSAGE_EVENTS[event.name]
            attributes.setdefault(key, []).append(_message(event.attributes, role))
        else:
            others.append(event)
    return Events(attributes, exception, others)


def _message(attributes: Mapping[str, Any], role: str) -> dict[str, Any]:
    """The message that an event carries: with its role, its parts read."""
    message = {key.removeprefix("gen_ai.event."): parsed(value) for key, value in attributes.items()}
    inner = message.pop("message", None)
    if isinstance(inner, dict):
        message.update(inner)
    elif inner is not None:
        message["content"] = inner
    return {"role": role, **message}


def family(members: Mapping[str, Any]) -> list[Any]:
    """The list that numbered attributes spell: `0.message.role` … become objects in a list."""
    root: dict[str, Any] = {}
    for path, value in members.items():
        node = root
        steps = path.split(".")[:16]
        for step in steps[:-1]:
            inner = node.setdefault(step, {})
            node = inner if isinstance(inner, dict) else {}
        node[steps[-1]] = value
    listed = _listed(root)
    return listed if isinstance(listed, list) else [listed]


def _listed(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    if node and all(key.isascii() and key.isdigit() for key in node):
        return [_listed(node[key]) for key in sorted(node, key=lambda key: (len(key), key))]
    return {key: _listed(value) for key, value in node.items()}
