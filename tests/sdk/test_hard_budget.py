"""At its hard budget a call ends: a coroutine is cancelled, a process group killed, a thread left behind and counted."""

import asyncio
import os
import sys
import threading
import time
from pathlib import Path

import pytest

from agentconsole.protocol.envelope import Budget, Outcome
from agentconsole.sdk import Console, Run, invoke
from tests.sdk.receiver import Receiver, wait_until

TIGHT = Budget(20, 60)


def test_a_plain_tool_that_will_not_stop_is_left_behind_counted_and_said_so(console: Console, receiver: Receiver):
    release = threading.Event()
    with console.run() as run:
        envelope = run.call(release.wait, name="stubborn", budget=TIGHT)
        assert console.abandoned_threads == 1
    release.set()
    assert envelope.outcome == Outcome.TIMEOUT
    assert envelope.message == (
        "tool unresponsive: no answer within 0.06 s; it did not stop and was left behind, still working; pivot or report"
    )
    wait_until(lambda: console.abandoned_threads == 0)
    console.flush()
    assert {"TOOL_ABANDONED", "TOOL_TIMEOUT_HARD"} <= set(receiver.tokens())


async def test_an_asynchronous_tool_is_really_cancelled(run: Run):
    cancelled = asyncio.Event()

    async def tool() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    envelope = await run.acall(tool, budget=TIGHT)
    assert cancelled.is_set()
    assert envelope.message == "tool unresponsive: no answer within 0.06 s; pivot or report"
    assert run.console.abandoned_threads == 0


async def test_an_asynchronous_tool_that_swallows_its_cancellation_is_left_behind(
    run: Run, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(invoke, "STOP_GRACE_S", 0.05)
    release = asyncio.Event()

    async def tool() -> None:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue

    envelope = await run.acall(tool, budget=TIGHT)
    assert (envelope.outcome, run.console.abandoned_threads) == (Outcome.TIMEOUT, 1)
    release.set()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert run.console.abandoned_threads == 0


async def test_cancelling_the_agent_cancels_the_tool_and_passes_on(run: Run):
    started, cancelled = asyncio.Event(), asyncio.Event()

    async def tool() -> None:
        started.set()
        try:
            await asyncio.sleep(60)
        finally:
            cancelled.set()

    task = asyncio.create_task(run.acall(tool))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert cancelled.is_set()


async def test_the_span_of_a_cancelled_call_is_unreported(console: Console, receiver: Receiver):
    started = asyncio.Event()

    async def tool() -> None:
        started.set()
        await asyncio.sleep(60)

    async def agent() -> None:
        async with console.run() as run:
            await run.acall(tool)

    task = asyncio.create_task(agent())
    await started.wait()
    task.cancel()
    await asyncio.wait({task})
    await asyncio.to_thread(console.flush)
    span = receiver.span("tool")
    assert (span["outcome"], span["message"]) == ("unreported", "ended by CancelledError")
    assert [item["status"] for item in receiver.of("run.finished")] == ["cancelled"]


async def test_a_tool_that_cancels_itself_is_an_error_and_does_not_cancel_the_agent(run: Run):
    async def tool() -> None:
        raise asyncio.CancelledError

    assert (await run.acall(tool)).outcome == Outcome.ERROR


async def test_the_loop_goes_on_while_a_plain_tool_works(run: Run):
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0.001)

    counting = asyncio.create_task(count())
    await run.acall(time.sleep, 0.05)
    counting.cancel()
    assert turns > 5


def test_a_program_answers_with_its_output(run: Run):
    envelope = run.run_process([sys.executable, "-c", "print(input()[::-1])"], input_text="olleh\n", name="reverse")
    assert (envelope.tool, envelope.data) == ("reverse", "hello\n")


def test_a_programs_bad_exit_is_an_error_with_the_end_of_its_complaint(run: Run):
    envelope = run.run_process([sys.executable, "-c", "import sys; sys.exit('no such shard')"])
    assert envelope.outcome == Outcome.ERROR
    assert "exit code 1: no such shard" in envelope.message


def test_a_program_that_is_not_there_is_an_error(run: Run):
    assert run.run_process(["/no/such/program"]).outcome == Outcome.ERROR


def is_running(pid: int) -> bool:
    """Whether a process runs; one that ended and waits to be reaped by its parent does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):  # gone before it was opened, or before it was read
        return False


@pytest.mark.skipif(not Path("/proc").exists(), reason="reads /proc")
def test_a_program_over_its_budget_is_killed_with_its_children(run: Run, tmp_path: Path):
    pids = tmp_path / "pids"
    script = f"sleep 60 & echo $! > {pids}; echo $$ >> {pids}; wait"
    envelope = run.run_process(["/bin/sh", "-c", script], budget=Budget(500, 1_000))
    assert envelope.outcome == Outcome.TIMEOUT
    assert run.console.abandoned_threads == 0
    wait_until(lambda: not any(is_running(int(pid)) for pid in pids.read_text().split()))


async def test_a_cancelled_agent_takes_its_program_along(run: Run, tmp_path: Path):
    pid_file = tmp_path / "pid"
    task = asyncio.create_task(run.arun_process(["/bin/sh", "-c", f"echo $$ > {pid_file}; exec sleep 60"]))
    await asyncio.to_thread(wait_until, lambda: pid_file.exists() and pid_file.read_text().strip())
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    wait_until(lambda: not is_running(int(pid_file.read_text())))


def test_the_runs_deadline_shortens_the_budget(off: Console):
    with off.run(deadline_s=0.05) as run:
        begun = time.monotonic()
        assert run.run_process(["sleep", "60"]).outcome == Outcome.TIMEOUT
        assert time.monotonic() - begun < 5
        envelope = run.call(os.getpid)
        assert (envelope.outcome, envelope.attempts) == (Outcome.TIMEOUT, ())
