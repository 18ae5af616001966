"""The doctor's summary: by rules, or by a model; and by rules again when the model fails."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from agentconsole.sdk import Console
from runs.doctor.finding import fine, notice, problem
from runs.doctor.summary import by_rules, headline, synthesise
from tests.doctor.model import Model
from tests.sdk.receiver import Receiver

FINDINGS = {
    "storage": [fine("There is room."), problem("The disk is full.", "Make room.")],
    "errors": [notice("One warning.", "Look it up."), fine("No failure.")],
}
KEY = "sk-a-key-that-nobody-may-see-0123456789"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def model(settings: Any) -> Iterator[Model]:
    """A model that the console is set to use."""
    endpoint = Model()
    settings.OPENAI_BASE_URL = f"{endpoint.url}/v1/"
    settings.OPENAI_API_KEY = KEY
    settings.OPENAI_MODEL = "wise-1"
    yield endpoint
    endpoint.close()


def summary(receiver: Receiver) -> str:
    with Console(receiver.url, "cred_test") as console, console.run() as run:
        return synthesise(run, FINDINGS)


def test_the_rules_begin_with_what_needs_somebody_and_end_with_what_is_fine():
    assert by_rules(FINDINGS).splitlines() == [
        "1 thing needs somebody, 1 more to look at.",
        "✗ The disk is full. Make room.",
        "! One warning. Look it up.",
        "Storage: There is room.",
        "Errors: No failure.",
    ]


@pytest.mark.parametrize(
    ("problems", "notices", "text"),
    [
        (0, 0, "All is well."),
        (0, 1, "Nothing needs somebody now; 1 thing is worth a look."),
        (0, 2, "Nothing needs somebody now; 2 things are worth a look."),
        (2, 0, "2 things need somebody."),
    ],
)
def test_the_headline_stands_alone(problems: int, notices: int, text: str):
    assert headline(problems, notices) == text


def test_without_a_model_the_rules_write_it(receiver: Receiver, settings: Any):
    settings.OPENAI_BASE_URL = ""
    assert summary(receiver) == by_rules(FINDINGS)
    assert "SYNTH_FALLBACK_TRIGGERED" not in receiver.tokens()


def test_a_model_writes_it_from_the_findings_and_is_named(receiver: Receiver, model: Model):
    assert summary(receiver) == "Make room.\n(written by wise-1)"
    span = receiver.span("wise-1")
    assert (span["kind"], span["outcome"], span["result"]) == ("model", "ok", "Make room.")
    assert span["attributes"] == {"total_tokens": 12}
    assert model.requests[0]["asked"]["model"] == "wise-1"
    assert "The disk is full." in json.dumps(span["arguments"])
    assert model.requests[0]["path"] == "/v1/chat/completions"
    assert model.requests[0]["Authorization"] == f"Bearer {KEY}"
    assert KEY not in json.dumps(receiver.history)


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (500, {}),
        (401, {}),
        (200, {"choices": []}),
        (200, {"choices": [{"message": {"content": None}}]}),
        (200, ["no object"]),
        (200, b"no json"),
    ],
)
def test_a_model_that_fails_is_told_of_and_the_rules_write_it(
    receiver: Receiver, model: Model, status: int, answer: Any
):
    model.status, model.answer = status, answer
    assert summary(receiver) == by_rules(FINDINGS)
    assert "SYNTH_FALLBACK_TRIGGERED" in receiver.tokens()
    assert receiver.span("wise-1")["outcome"] in ("degraded", "auth_failed", "error")


def test_a_model_that_is_not_there_is_no_disaster(receiver: Receiver, model: Model, settings: Any):
    settings.OPENAI_BASE_URL = "http://127.0.0.1:9/v1"
    assert summary(receiver) == by_rules(FINDINGS)
    assert receiver.span("wise-1")["outcome"] == "degraded"
