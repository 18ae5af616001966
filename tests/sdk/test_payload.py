"""Whatever a tool takes or gives, what leaves the process is JSON that the console accepts, small, and free of secrets."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentconsole.sdk import Console
from agentconsole.sdk.arguments import arguments_of, masked_argv
from agentconsole.sdk.payload import MAX_TEXT_CHARS, prepare, prepare_name, prepare_text
from tests.sdk.receiver import Receiver

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()) | st.binary() | st.datetimes(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text(st.characters()) | st.integers(), inner) | st.tuples(inner, inner)
    ),
    max_leaves=30,
)


@dataclass
class Disk:
    name: str
    password: str


class Unspeakable:
    def __str__(self) -> str:
        raise RuntimeError("no words")


class Unreadable(Mapping[str, Any]):
    def __getitem__(self, key: str) -> Any:
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        raise RuntimeError("not today")

    def __len__(self) -> int:
        return 1


@given(anything)
def test_anything_becomes_json_without_nul_and_lone_surrogates(value: Any):
    text = json.dumps(prepare(value, "result").value, ensure_ascii=False, allow_nan=False)
    text.encode()
    assert "\\u0000" not in text


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ("a\0b", "a␀b"),
        ("a\ud800b", "a\ufffdb"),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        (2**63, 2**63),
        ([1 << 20_000], ["0x1" + "0" * 5_000]),
        (b"caf\xc3\xa9\xff", "café\ufffd"),
        (Decimal("1.10"), "1.10"),
        (PurePosixPath("/var/log"), "/var/log"),
        (datetime(2026, 11, 22, tzinfo=UTC), "2026-11-22 00:00:00+00:00"),
        ((1, {2}), [1, [2]]),
        ({1: "one", None: "none"}, {"1": "one", "None": "none"}),
        (Disk("sda", "hunter2"), {"name": "sda", "password": "[REDACTED:field_name]"}),
        (Unspeakable(), "<Unspeakable that can't be shown: RuntimeError>"),
        (Unreadable(), "<Unreadable that can't be read: RuntimeError>"),
    ],
)
def test_what_json_has_no_word_for_is_said_in_another_way(value: Any, sent: Any):
    assert prepare(value, "result").value == sent


def test_a_cycle_ends():
    cycle: list[Any] = []
    cycle.append(cycle)
    assert "deeper than the console keeps" in json.dumps(prepare(cycle, "result").value)


def test_a_bush_of_cycles_ends():
    bush: dict[str, Any] = {}
    bush.update({str(n): bush for n in range(100)})
    assert prepare(bush, "result").cut is not None


def test_a_long_result_is_cut_and_the_whole_is_described():
    payload = prepare({"rows": ["x" * 100] * 1_000}, "result")
    assert payload.cut is not None
    assert payload.cut.chars > 100_000
    assert len(payload.value.encode()) <= 16 * 1024
    assert "[TRUNCATED " in payload.value


def test_redaction_comes_before_the_cut():
    text = "x" * (16 * 1024 * 65 // 100 - 30) + " Authorization: Bearer hunter2-9f86d081" + "y" * 20_000
    payload = prepare(text, "result")
    assert "hunter2" not in payload.value
    assert [hit.detector for hit in payload.redacted] == ["authorization_header"]


def test_a_giant_text_is_read_at_its_ends_only():
    payload = prepare("a" * MAX_TEXT_CHARS + "secret in the middle" + "z" * MAX_TEXT_CHARS, "result")
    assert payload.value.startswith("aaa")
    assert payload.value.endswith("zzz")
    assert "secret" not in payload.value


def test_a_message_is_kept_short_and_a_name_on_one_line():
    assert len(prepare_text("é" * 10_000).encode()) <= 1_900
    assert prepare_name("two\nlines\tand more") == "two lines and more"


def test_arguments_are_named_after_their_parameters_because_redaction_goes_by_names():
    def login(user: str, password: str, *hosts: str, **more: str) -> None: ...

    assert arguments_of(login, ("dana", "hunter2", "h1", "h2"), {"port": "22"}) == {
        "user": "dana", "password": "hunter2", "hosts": ["h1", "h2"], "port": "22",
    }  # fmt: skip
    assert arguments_of(login, (), {}) == {}
    assert arguments_of(max, (1, 2), {}) == {"args": [1, 2]}


def test_the_values_of_telling_options_are_not_shown():
    assert masked_argv(["mysql", "--password", "hunter2", "--user", "dana", "-h", "db"]) == [
        "mysql", "--password", "[REDACTED:field_name]", "--user", "dana", "-h", "db",
    ]  # fmt: skip


def test_no_secret_leaves_the_process_and_each_find_is_said(console: Console, receiver: Receiver):
    def login(user: str, password: str) -> str:
        return f"Authorization: Bearer {password}-9f86d081884c7d65"

    with console.run(query="use api_key=hunter2-9f86d081") as run:
        envelope = run.call(login, "dana", "hunter2")
        run.event("LOGGED_IN", message="password=hunter2", token_header={"password": "hunter2"})
    console.flush()
    assert "hunter2" in envelope.data
    assert "hunter2" not in json.dumps(receiver.history)
    assert receiver.tokens().count("SECRET_LEAK_BLOCKED") == 2


def test_a_token_that_is_not_upper_snake_is_made_so(console: Console, receiver: Receiver):
    with console.run() as run:
        run.event("router decision!")
        run.event("42", level="loud")
        run.event("")
    console.flush()
    made = [item for item in receiver.of("event") if "token_given" in item.get("fields", {})]
    assert [(item["token"], item["fields"]["token_given"]) for item in made] == [
        ("ROUTER_DECISION", "router decision!"), ("EVENT_42", "42"), ("EVENT", ""),
    ]  # fmt: skip


def test_an_agent_with_an_object_that_breaks_json_is_told_and_goes_on(
    console: Console, logged: Callable[[], list[str]]
):
    with console.run(query=Unspeakable(), attributes=3) as run:  # type: ignore[arg-type]
        assert run.call(lambda: 1, name="tool").data == 1
    assert "SDK_FAULT" in logged()
