"""What comes in, read strictly: refused with the field's name, or taken as it is."""

import json
from typing import Any

import pytest
from agentapprovalprotocol._wire import loads, same
from hypothesis import given
from hypothesis import strategies as st

from agentconsole.errors import ConsoleError
from agentconsole.protocol.exact_json import dump_exact
from approvals.aap.wire import claimed_in, idempotency_key_in, outcome_in, submission_in, wait_s_in
from tests.approvals.aap.calls import request_text


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"tool": ""}, "tool"),
        ({"tool": '""'}, "tool"),
        ({"tool": "null"}, "tool"),
        ({"tool": "1"}, "tool"),
        ({"tool": json.dumps("x" * 201)}, "tool"),
        ({"tool": '"a\\u0000b"'}, "tool"),
        ({"server": '""'}, "server"),
        ({"server": "null"}, "server"),
        ({"arguments": ""}, "arguments"),
        ({"arguments": "[]"}, "arguments"),
        ({"arguments": "null"}, "arguments"),
        ({"arguments": '{"a":1,"a":1}'}, "a"),
        ({"arguments": '{"a":"\\ud800"}'}, "arguments.a"),
        ({"timeout": ""}, "timeout"),
        ({"timeout": "30"}, "timeout"),
        ({"timeout": '"0s"'}, "timeout"),
        ({"timeout": '"030s"'}, "timeout"),
        ({"timeout": '"1d"'}, "timeout"),
        ({"timeout": '"1.5h"'}, "timeout"),
        ({"timeout": '"30s\\n"'}, "timeout"),
        ({"timeout": '"\\u0661m"'}, "timeout"),
        ({"timeout": '"169h"'}, "timeout"),
        ({"timeout": '"99999999999999999999h"'}, "timeout"),
        ({"agent_reasoning": "null"}, "agent_reasoning"),
        ({"agent_reasoning": '"\\u0000"'}, "agent_reasoning"),
        ({"context": "null"}, "context"),
        ({"context": '"x"'}, "context"),
        ({"context": '{"agentconsole":null}'}, "context.agentconsole"),
        ({"context": '{"agentconsole":{"priority":1}}'}, "context.agentconsole"),
        ({"context": '{"agentconsole":{"risk":"dire"}}'}, "context.agentconsole.risk"),
        ({"context": '{"agentconsole":{"risk":[]}}'}, "context.agentconsole.risk"),
        ({"context": '{"agentconsole":{"run_id":5}}'}, "context.agentconsole.run_id"),
        ({"context": '{"agentconsole":{"operation":"\\u0000"}}'}, "context.agentconsole.operation"),
        ({"delivery": "{}"}, "delivery"),
        ({"id": '"x"'}, "id"),
        ({"\\ud800": "1"}, "\\ud800"),
    ],
    ids=str,
)
def test_a_request_that_is_none_is_refused_by_the_name_of_its_field(fields: dict[str, str], param: str):
    with pytest.raises(ConsoleError) as refused:
        submission_in(request_text(**fields).encode())
    assert (refused.value.http_status, refused.value.data["param"]) == (400, param)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"null", b"[]", b'"x"', b"{", b"{}{}", b"\xff", b"\xef\xbb\xbf{}", b"{'a':1}", b'{"a":NaN}', b'{"a":-Infinity}',
        b'{"a":1e99999999999999999999}', b'{"a":' + b"[" * 100_000, b'{"tool":"a","tool":"a"}', b'{"tool":"a",}', b"\x00",
    ],
    ids=lambda body: repr(body[:30]),
)  # fmt: skip
def test_a_body_that_is_no_json_object_is_refused(body: bytes):
    with pytest.raises(ConsoleError) as refused:
        submission_in(body)
    assert refused.value.http_status == 400


def test_what_was_not_sent_is_told_from_what_was_sent_empty():
    bare, empty = (submission_in(request_text(**f).encode()) for f in ({}, {"agent_reasoning": '""', "context": "{}"}))
    assert (bare.agent_reasoning, bare.context, bare.server) == (None, None, None)
    assert (empty.agent_reasoning, empty.context) == ("", {})
    assert bare.digest() != empty.digest()


@pytest.mark.parametrize(("text", "seconds"), [("1s", 1), ("2m", 120), ("168h", 604_800), ("604800s", 604_800)])
def test_windows_up_to_a_week_are_taken(text: str, seconds: int):
    assert submission_in(request_text(timeout=f'"{text}"').encode()).timeout_s == seconds


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), json_values, max_size=5))
def test_arguments_come_back_letter_for_letter(arguments: dict[str, Any]):
    text = json.dumps(arguments, ensure_ascii=False, separators=(",", ":"))
    back = dump_exact(submission_in(request_text(arguments=text).encode()).arguments)
    assert back == text
    assert same(loads(back), loads(text))


@pytest.mark.parametrize("number", ["1.0", "-0", "1E2", "0.10", "9007199254740993", "1e400", "-1.50e-7", "9" * 5000])
def test_a_number_comes_back_as_it_was_written(number: str):
    text = f'{{"n":{number}}}'
    assert dump_exact(submission_in(request_text(arguments=text).encode()).arguments) == text


@pytest.mark.parametrize("body", [b"", b"  ", b"{}"])
def test_a_plain_claim_says_nothing(body: bytes):
    assert claimed_in(body) is None


@pytest.mark.parametrize(
    ("action", "param"),
    [
        ("null", "action"),
        ("[]", "action"),
        ('{"tool":"a"}', "action.arguments"),
        ('{"arguments":{}}', "action.tool"),
        ('{"tool":"a","arguments":{},"environment":"prod"}', "action.environment"),
        ('{"tool":"a","arguments":{},"server":null}', "action.server"),
        ('{"tool":"a","arguments":{},"fingerprint":"acf1:7f"}', "action.fingerprint"),
        ('{"tool":"a","arguments":{},"operation":"\\u0000"}', "action.operation"),
        (json.dumps({"tool": "a", "arguments": {}, "operation": "x" * 201}), "action.operation"),
        (json.dumps({"tool": "a", "arguments": {}, "resource": "x" * 501}), "action.resource"),
        (json.dumps({"tool": "a", "arguments": {}, "schema_digest": "x" * 101}), "action.schema_digest"),
    ],
)
def test_a_claim_of_nonsense_is_refused_by_the_name_of_its_field(action: str, param: str):
    with pytest.raises(ConsoleError) as refused:
        claimed_in(f'{{"action":{action}}}'.encode())
    assert refused.value.data["param"] == param


def test_what_could_be_asked_can_be_claimed_however_deep():
    deep = '{"x":' + "[" * 62 + "]" * 62 + "}"
    asked = submission_in(request_text(arguments=deep).encode())
    claimed = claimed_in(f'{{"action":{{"tool":"restart","arguments":{deep}}}}}'.encode())
    assert claimed is not None
    assert claimed.arguments == asked.arguments


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ('{"note":"x"}', "status"),
        ('{"status":"unknown"}', "status"),
        ('{"status":"failed","note":""}', "note"),
        ('{"status":"failed","note":null}', "note"),
        ('{"status":"failed","note":"\\u0000"}', "note"),
        ('{"status":"failed","at":"x"}', "at"),
    ],
)
def test_an_outcome_that_is_none_is_refused_by_the_name_of_its_field(body: str, param: str):
    with pytest.raises(ConsoleError) as refused:
        outcome_in(body.encode())
    assert refused.value.data["param"] == param


@pytest.mark.parametrize(("key", "code"), [(None, "missing_idempotency_key"), ("  ", "missing_idempotency_key")])
def test_a_key_is_needed(key: str | None, code: str):
    with pytest.raises(ConsoleError) as refused:
        idempotency_key_in(key)
    assert refused.value.code == code


@pytest.mark.parametrize("key", ["x" * 256, " x", "x\t", "é", "x\x00"])
def test_a_key_of_another_form_is_refused(key: str):
    with pytest.raises(ConsoleError) as refused:
        idempotency_key_in(key)
    assert refused.value.data["param"] == "Idempotency-Key"


@pytest.mark.parametrize("key", ["x", "x" * 255, "two words", "4dc635f0-9423-4a98-99cc-33d2168fcbb2"])
def test_a_key_of_visible_ascii_is_taken_as_it_is(key: str):
    assert idempotency_key_in(key) == key


def test_a_wait_is_capped_and_absent_is_none():
    assert [wait_s_in(waits) for waits in ([], ["1s"], ["30s"], ["31s"], ["24h"])] == [0, 1, 30, 30, 30]


@pytest.mark.parametrize("waits", [[""], ["30"], ["0s"], ["-1s"], ["soon"], ["1s", "1s"], ["9" * 99 + "s"]])
def test_a_wait_of_another_form_is_refused(waits: list[str]):
    with pytest.raises(ConsoleError) as refused:
        wait_s_in(waits)
    assert refused.value.data["param"] == "wait"
