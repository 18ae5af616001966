"""The fingerprint: equal actions, and only those, have equal ones; the published vectors hold."""

import hashlib
import json
import struct
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as some

from agentconsole.protocol.exact_json import ExactJsonError, dump_exact, members, parse_exact, same_json
from agentconsole.protocol.fingerprint import (
    ActionEnvelope,
    FingerprintError,
    canonical_bytes,
    canonical_json,
    fingerprint,
    fingerprint_of,
    is_fingerprint,
    read_envelope,
    short,
)
from tests.protocol.test_exact_json import values

VECTORS = json.loads(
    (Path(__file__).resolve().parents[2] / "docs/fingerprint-vectors.json").read_text(encoding="utf-8")
)
PLAIN = ActionEnvelope(environment="prod", operation="restart", tool="restart", agent="deployer", arguments={})
CYCLE: list[Any] = []
CYCLE.append(CYCLE)
objects = some.dictionaries(some.sampled_from("abcé$"), values, max_size=4)


@settings(max_examples=200)
@given(objects, objects)
def test_equal_arguments_and_only_those_are_one_action(one: dict[str, Any], other: dict[str, Any]):
    prints = [fingerprint(replace(PLAIN, arguments=arguments)) for arguments in (one, other)]
    assert (prints[0] == prints[1]) == same_json(one, other)


@given(objects, values, some.data())
def test_a_change_of_any_leaf_is_another_action(arguments: dict[str, Any], other: Any, data: some.DataObject):
    spots = list(_spots(arguments))
    if not spots:
        return
    changed = parse_exact(dump_exact(arguments))
    *way, last = data.draw(some.sampled_from(spots))
    holder = changed
    for step in way:
        holder = holder[step]
    is_same = same_json(holder[last], other)
    holder[last] = other
    assert (
        fingerprint(replace(PLAIN, arguments=changed)) == fingerprint(replace(PLAIN, arguments=arguments))
    ) is is_same


def _spots(value: Any, way: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    for name, item in members(value):
        spot = (*way, int(name) if isinstance(value, list) else name)
        yield spot
        yield from _spots(item, spot)


@given(objects)
def test_the_order_of_keys_does_not_matter(arguments: dict[str, Any]):
    turned = dict(reversed(arguments.items()))
    assert fingerprint(replace(PLAIN, arguments=turned)) == fingerprint(replace(PLAIN, arguments=arguments))


@given(objects)
def test_an_envelope_is_read_back_from_its_bytes(arguments: dict[str, Any]):
    envelope = replace(PLAIN, arguments=arguments, server="$acf:x", resource="é")
    back = read_envelope(canonical_bytes(envelope))
    assert same_json(back.arguments, arguments)
    assert replace(back, arguments={}) == replace(envelope, arguments={})


@pytest.mark.parametrize(
    "field", ["environment", "operation", "tool", "agent", "server", "schema_digest", "resource", "on_behalf_of"]
)
def test_every_field_counts(field: str):
    changed: dict[str, Any] = {field: "other"}
    assert fingerprint(replace(PLAIN, **changed)) != fingerprint(PLAIN)


@pytest.mark.parametrize("vector", VECTORS["accepted"], ids=lambda vector: vector["name"])
def test_a_published_vector(vector: dict[str, str]):
    envelope = replace(PLAIN, arguments=parse_exact(vector["arguments"]))
    assert canonical_bytes(envelope).decode() == vector["canonical"]
    independent = hashlib.sha256(b"agentconsole.action:v1\n" + vector["canonical"].encode()).hexdigest()
    assert fingerprint(envelope) == f"acf1:{independent}" == vector["fingerprint"]


def test_vectors_without_tags_are_what_any_rfc_8785_library_makes():
    untagged = [vector for vector in VECTORS["accepted"] if "$acf:" not in vector["canonical"]]
    assert len(untagged) >= 30
    for vector in untagged:
        texts = {
            name: text for name, text in VECTORS["envelope"].items() if name not in ("server", "tool", "schema_digest")
        }
        tool = {"server": "", "name": VECTORS["envelope"]["tool"], "schema_digest": ""}
        profile = {"id": "agentconsole.action", "version": 1}
        whole = {**texts, "tool": tool, "profile": profile, "arguments": json.loads(vector["arguments"])}
        assert rfc8785.dumps(whole).decode() == vector["canonical"], vector["name"]


# RFC 8785, appendix B: the bits of a double, and how it is written. Whole ones beyond 2^53 - 1 are tagged here, so left out.
IEEE_754 = [
    ("0000000000000000", "0"),
    ("8000000000000000", "0"),
    ("0000000000000001", "5e-324"),
    ("8000000000000001", "-5e-324"),
    ("3eb0c6f7a0b5ed8d", "0.000001"),
    ("3eb0c6f7a0b5ed8c", "9.999999999999997e-7"),
    ("41b3de4355555553", "333333333.3333332"),
    ("41b3de4355555554", "333333333.33333325"),
    ("41b3de4355555555", "333333333.3333333"),
    ("41b3de4355555556", "333333333.3333334"),
    ("41b3de4355555557", "333333333.33333343"),
    ("becbf647612f3696", "-0.0000033333333333333333"),
    ("43143ff3c1cb0959", "1424953923781206.2"),
]


@pytest.mark.parametrize(("bits", "text"), IEEE_754)
def test_a_sample_number_of_rfc_8785(bits: str, text: str):
    (double,) = struct.unpack(">d", bytes.fromhex(bits))
    assert canonical_json(double).decode() == text
    assert canonical_json(parse_exact(text)).decode() == text


@pytest.mark.parametrize("vector", VECTORS["refused"], ids=lambda vector: vector["name"])
def test_a_published_refusal(vector: dict[str, str]):
    with pytest.raises(ExactJsonError) as refusal:
        parse_exact(vector["arguments"])
    assert refusal.value.code == vector["code"]


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (float("nan"), "not_finite"),
        (float("inf"), "not_finite"),
        ("\ud800", "lone_surrogate"),
        ({"\ud800": 1}, "lone_surrogate"),
        (CYCLE, "too_deep"),
        ({1: 2}, "bad_key"),
        (b"", "not_json"),
    ],
)
def test_a_value_that_no_fingerprint_can_carry(value: Any, code: str):
    with pytest.raises(FingerprintError) as refusal:
        canonical_json({"value": value})
    assert refusal.value.code == code


@pytest.mark.parametrize(
    "tampered",
    [
        b"{}",
        b"[]",
        b'{"agent": "a"}',
        canonical_bytes(PLAIN) + b" ",
        canonical_bytes(PLAIN).replace(b'"restart"', b'"\\u0072estart"', 1),
        canonical_bytes(PLAIN).replace(b'"prod"', b"1"),
        canonical_bytes(PLAIN).replace(b'"arguments":{}', b'"arguments":[]'),
        canonical_bytes(PLAIN).replace(b'"version":1', b'"version":2'),
        canonical_bytes(PLAIN).replace(b"{}", b'{"a":1.0}'),
        *(
            canonical_bytes(PLAIN).replace(b"{}", b'{"a":"$acf:%s"}' % tagged)
            for tagged in (b"", b"x", b"number:1e0", b"number:x", b"number:Infinity", b"number:10e400", b"string:x")
        ),
    ],
)
def test_bytes_that_are_not_canonical(tampered: bytes):
    with pytest.raises(ValueError, match=r"envelope|JSON|texts|object"):
        read_envelope(tampered)


def test_the_forms_of_a_fingerprint():
    text = fingerprint_of(b"")
    assert is_fingerprint(text)
    assert not is_fingerprint(text.upper())
    assert short(text) == f"{text[:13]}…"
