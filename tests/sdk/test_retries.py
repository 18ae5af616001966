"""What is tried again: a timeout if the tool is idempotent, a degraded service until its circuit opens; nothing else."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from agentconsole.protocol.envelope import Outcome
from agentconsole.sdk import (
    NO_RETRY,
    Circuit,
    Console,
    Retry,
    Run,
    ToolAuthFailed,
    ToolDegraded,
    ToolRejected,
    ToolTimeout,
)
from agentconsole.sdk.circuit import Turn
from tests.sdk.receiver import Receiver


def failing(*endings: Any) -> Callable[[], Any]:
    """A tool that ends in these ways, one call after the other, and in the last way from then on."""
    left = list(endings)

    def tool() -> Any:
        ending = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(ending, Exception):
            raise ending
        return ending

    return tool


@pytest.mark.parametrize("error", [ToolAuthFailed(), ToolRejected(), KeyError(), ToolTimeout()])
def test_these_are_never_tried_again(run: Run, error: Exception):
    envelope = run.call(failing(error, "answer"))
    assert (len(envelope.attempts), envelope.retryable) == (1, False)


def test_an_empty_answer_is_never_tried_again(run: Run):
    assert len(run.call(failing(None, "answer")).attempts) == 1


def test_a_timeout_is_tried_again_where_the_tool_is_idempotent(run: Run):
    envelope = run.call(failing(ToolTimeout("slow"), "answer"), idempotent=True)
    assert (envelope.outcome, envelope.data) == (Outcome.OK, "answer")
    assert [attempt.outcome for attempt in envelope.attempts] == [Outcome.TIMEOUT, Outcome.OK]


def test_a_degraded_service_is_tried_again_a_bounded_number_of_times(run: Run):
    envelope = run.call(failing(ToolDegraded("503")))
    assert (envelope.outcome, len(envelope.attempts), envelope.retryable) == (Outcome.DEGRADED, 3, True)
    assert envelope.message == "service degraded: 503; pivot or report (tried 3 times)"


def test_a_caller_can_forbid_another_try(run: Run):
    assert len(run.call(failing(ToolDegraded("503"), "answer"), retry=NO_RETRY).attempts) == 1


async def test_an_asynchronous_call_is_tried_again_alike(run: Run):
    tool = failing(ToolDegraded("503"), "answer")

    async def asynchronous() -> Any:
        return tool()

    assert [a.outcome for a in (await run.acall(asynchronous)).attempts] == [Outcome.DEGRADED, Outcome.OK]


def test_no_try_begins_after_the_runs_deadline(off: Console):
    with off.run(deadline_s=0.2) as run:
        envelope = run.call(failing(ToolDegraded("503")), retry=Retry(attempts=100, base_s=50, cap_s=50))
    assert len(envelope.attempts) < 3
    assert envelope.outcome == Outcome.DEGRADED


def test_a_service_that_asks_for_a_longer_wait_than_the_bound_is_not_asked_again(run: Run):
    envelope = run.call(failing(ToolDegraded("429", retry_after_s=3_600), "answer"))
    assert len(envelope.attempts) == 1


def test_after_failures_in_a_row_the_circuit_opens_and_calls_stop(console: Console, receiver: Receiver):
    tool = failing(ToolDegraded("503"))
    with console.run() as run:
        envelopes = [run.call(tool, name="crm") for _ in range(4)]
    assert [len(envelope.attempts) for envelope in envelopes] == [3, 2, 0, 0]
    assert "left alone" in envelopes[-1].message
    assert (envelopes[-1].outcome, envelopes[-1].retryable) == (Outcome.DEGRADED, True)
    console.flush()
    assert receiver.tokens().count("CIRCUIT_OPENED") == 1


def test_circuits_are_of_one_tool_each(run: Run):
    for _ in range(3):
        run.call(failing(ToolDegraded()), name="crm")
    assert run.call(lambda: "answer", name="wiki").outcome == Outcome.OK


def test_backoff_grows_up_to_its_cap_and_is_spread_over_the_whole_of_it():
    retry = Retry(base_s=1, cap_s=8)
    for failures, ceiling_s in ((1, 1), (2, 2), (3, 4), (4, 8), (40, 8), (5_000, 8)):
        pauses = [retry.pause_s(failures) for _ in range(300)]
        assert 0 <= min(pauses) < ceiling_s * 0.2
        assert ceiling_s * 0.8 < max(pauses) <= ceiling_s


class TestCircuit:
    def setup_method(self) -> None:
        self.now = 0.0
        self.circuit = Circuit(threshold=2, cooldown_s=30, clock=lambda: self.now)

    def fail(self) -> Turn:
        assert self.circuit.admit() is None
        return self.circuit.record(is_healthy=False)

    def test_a_success_starts_the_count_anew(self):
        self.fail()
        assert self.circuit.record(is_healthy=True) == Turn.NONE
        assert self.fail() == Turn.NONE
        assert self.circuit.admit() is None

    def test_it_opens_at_its_threshold_and_says_how_long(self):
        self.fail()
        assert self.fail() == Turn.OPENED
        self.now = 10
        assert self.circuit.admit() == 20

    def test_half_open_it_lets_one_probe_through_which_closes_it(self):
        self.fail(), self.fail()
        self.now = 30
        assert self.circuit.admit() is None
        assert self.circuit.admit() == 0
        assert self.circuit.record(is_healthy=True) == Turn.CLOSED
        assert self.circuit.admit() is None

    def test_a_failed_probe_opens_it_again_for_the_whole_time(self):
        self.fail(), self.fail()
        self.now = 31
        assert self.fail() == Turn.NONE
        assert self.circuit.admit() == 30

    def test_a_cancelled_probe_makes_room_for_the_next(self):
        self.fail(), self.fail()
        self.now = 31
        assert self.circuit.admit() is None
        self.circuit.release()
        assert self.circuit.admit() is None


async def test_a_cancelled_call_gives_its_probe_back():
    started = asyncio.Event()

    async def probe() -> None:
        started.set()
        await asyncio.sleep(60)

    with Console(make_circuit=lambda: Circuit(threshold=1, cooldown_s=0)) as console, console.run() as run:
        run.call(failing(ToolDegraded()), name="crm", retry=NO_RETRY)
        probing = asyncio.create_task(run.acall(probe, name="crm"))
        await started.wait()
        probing.cancel()
        await asyncio.wait({probing})
        assert run.call(lambda: "answer", name="crm").outcome == Outcome.OK
