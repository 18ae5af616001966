"""However an agent's process ends, what it recorded arrives: at exit, on SIGTERM, after kill -9, and from a fork."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.sdk.receiver import Receiver, wait_until

pytestmark = pytest.mark.processes

ROOT = Path(__file__).resolve().parents[2]
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(receiver: Receiver, tmp_path: Path) -> Iterator[Start]:
    """Start an agent's process from the text of its program; it says `ready` when it got there."""
    started: list[subprocess.Popen[str]] = []

    def start(program: str, **env: str) -> subprocess.Popen[str]:
        own = {"CONSOLE_URL": receiver.url, "CONSOLE_TOKEN": "t", "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"}
        prelude = "from agentconsole.sdk import Console\nconsole = Console.from_env()\n"
        process = subprocess.Popen(
            [sys.executable, "-c", prelude + textwrap.dedent(program)],
            env={**os.environ, **own, **env}, cwd=tmp_path, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def wait_for_ready(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    assert any(line.strip() == "ready" for line in process.stdout), "the agent ended before it was ready"


def notes(receiver: Receiver) -> list[int]:
    return [item["fields"]["number"] for item in receiver.of("event") if item["token"] == "NOTED"]


def test_a_script_that_just_ends_has_told_everything(start: Start, receiver: Receiver):
    process = start(
        """
        with console.run() as run:
            for number in range(1_000):
                run.event("NOTED", number=number)
        """
    )
    assert process.wait(30) == 0
    assert notes(receiver) == list(range(1_000))
    assert [item["status"] for item in receiver.of("run.finished")] == ["succeeded"]


def test_an_agent_that_breaks_has_told_that_it_failed(start: Start, receiver: Receiver):
    process = start("with console.run():\n    raise KeyError('rows')")
    assert process.wait(30) == 1
    assert [item["error"] for item in receiver.of("run.finished")] == ["KeyError: 'rows'"]


WAITS = """
    with console.run() as run:
        run.event("NOTED", number=1)
        print("ready", flush=True)
        import time
        time.sleep(60)
"""


def test_sigterm_ends_the_process_as_ever_and_its_runs_as_cancelled(start: Start, receiver: Receiver):
    process = start(WAITS)
    wait_for_ready(process)
    process.terminate()
    assert process.wait(30) == -signal.SIGTERM
    assert notes(receiver) == [1]
    (finished,) = receiver.of("run.finished")
    assert (finished["status"], finished["error"]) == ("cancelled", "the process got SIGTERM")


def test_an_agents_own_sigterm_handler_still_decides(start: Start, receiver: Receiver):
    own_handler = """
    import signal, sys
    console.close()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
    console = Console.from_env()
    """
    process = start(own_handler + WAITS)
    wait_for_ready(process)
    process.terminate()
    assert process.wait(30) == 7
    assert notes(receiver) == [1]


def test_one_deadline_holds_for_the_handler_and_the_exit_behind_it(start: Start, receiver: Receiver):
    receiver.respond = lambda _items: wait_until(lambda: False, within_s=12)
    process = start(
        textwrap.dedent("""
        import signal, sys, time
        console.close()
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
        console = Console.from_env()
        console.exit_deadline_s = 3
        """)
        + textwrap.dedent(WAITS)
    )
    wait_for_ready(process)
    begun = time.monotonic()
    process.terminate()
    assert process.wait(30) == 7
    assert time.monotonic() - begun < 5.5  # and not twice 3 s


@pytest.mark.parametrize("order", ["handler first", "console first"])
def test_an_asyncio_agent_keeps_its_own_way_to_end(start: Start, receiver: Receiver, order: str):
    handler = "asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)"
    console = "own = Console.from_env()"
    first, second = (handler, console) if order == "handler first" else (console, handler)
    process = start(
        f"""
        import asyncio, signal
        console.close()
        async def main():
            ended = asyncio.Event()
            {first}
            {second}
            with own.run() as run:
                run.event("NOTED", number=1)
                print("ready", flush=True)
                await ended.wait()
                run.event("NOTED", number=2)
        asyncio.run(main())
        """
    )
    wait_for_ready(process)
    process.terminate()
    assert process.wait(30) == 0
    assert notes(receiver) == [1, 2]
    assert [item["status"] for item in receiver.of("run.finished")] == ["succeeded"]


def test_a_process_that_ignores_sigterm_goes_on_ignoring_it(start: Start):
    process = start(
        """
        import signal
        console.close()
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        console = Console.from_env()
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
        """
    )
    assert process.wait(30) == 0


def test_a_hanging_console_holds_an_ending_process_no_longer_than_its_deadline(start: Start, receiver: Receiver):
    receiver.respond = lambda _items: wait_until(lambda: False, within_s=4)
    process = start(
        """
        console = Console.from_env()
        console.exit_deadline_s = 0.3
        with console.run():
            pass
        import atexit, time
        begun = time.monotonic()
        console.close()
        assert time.monotonic() - begun < 2
        """
    )
    assert process.wait(30) == 0


def test_kill_dash_nine_while_the_console_is_away_loses_nothing_that_reached_the_disk(
    start: Start, receiver: Receiver, tmp_path: Path
):
    receiver.respond = lambda _items: (503, {}, {})
    journal = tmp_path / "journal"
    process = start(
        """
        run = console.run().__enter__()
        for number in range(2_000):
            run.event("NOTED", number=number)
        print("ready", flush=True)
        import time
        time.sleep(60)
        """,
        CONSOLE_JOURNAL=str(journal),
    )
    wait_for_ready(process)
    wait_until(lambda: sum(path.read_bytes().count(b"NOTED") for path in journal.glob("*/*.ndjson")) == 2_000)
    process.kill()
    process.wait()
    receiver.respond = lambda _items: None
    assert start("", CONSOLE_JOURNAL=str(journal)).wait(30) == 0
    assert notes(receiver) == list(range(2_000))
    assert list(journal.iterdir()) == []


def test_several_processes_share_a_journal_and_nothing_is_lost_or_torn(
    start: Start, receiver: Receiver, tmp_path: Path
):
    receiver.respond = lambda _items: (503, {}, {})
    program = """
        with console.run() as run:
            for number in range(300):
                run.event("NOTED", number=number)
    """
    env = {"CONSOLE_JOURNAL": str(tmp_path / "journal")}
    assert [process.wait(60) for process in [start(program, **env) for _ in range(4)]] == [0] * 4
    receiver.respond = lambda _items: None
    assert [process.wait(60) for process in [start(program, **env) for _ in range(4)]] == [0] * 4
    wait_until(lambda: sorted(notes(receiver)) == sorted(list(range(300)) * 8))
    assert len({item["id"] for item in receiver.history if item["type"] == "event"}) == len(receiver.of("event"))


def test_a_forked_child_reports_for_itself(start: Start, receiver: Receiver, tmp_path: Path):
    process = start(
        """
        import os
        with console.run() as run:
            run.event("NOTED", number=1)
            child = os.fork()
            if child == 0:
                with console.run() as run:
                    run.event("NOTED", number=2)
                console.close()
                os._exit(0)
            _, status = os.waitpid(child, 0)
            assert status == 0
            run.event("NOTED", number=3)
        """,
        CONSOLE_JOURNAL=str(tmp_path / "journal"),
        PYTHONWARNINGS="error,ignore::DeprecationWarning",
    )
    assert process.wait(30) == 0
    assert sorted(notes(receiver)) == [1, 2, 3]
    assert [item["token"] for item in receiver.history if item["type"] == "event"].count("NOTED") == 3
    assert len(receiver.of("run.finished")) == 2


def test_a_forked_child_that_leaves_the_parents_run_does_not_end_it(start: Start, receiver: Receiver):
    process = start(
        """
        import os, sys
        with console.run() as run:
            child = os.fork()
            if child == 0:
                run.event("NOTED", number=1)
                sys.exit(3)
            os.waitpid(child, 0)
        """,
        PYTHONWARNINGS="error,ignore::DeprecationWarning",
    )
    assert process.wait(30) == 0
    assert notes(receiver) == [1]
    assert [item["status"] for item in receiver.of("run.finished")] == ["succeeded"]


def test_a_worker_of_multiprocessing_has_told_everything_when_it_ends(start: Start, receiver: Receiver):
    process = start(
        """
        import multiprocessing
        def work(number):
            with console.run() as run:
                run.event("NOTED", number=number)
        console.startup()
        console.flush()
        workers = [multiprocessing.get_context("fork").Process(target=work, args=(n,)) for n in range(3)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        """,
        PYTHONWARNINGS="error,ignore::DeprecationWarning",
    )
    assert process.wait(30) == 0
    assert sorted(notes(receiver)) == [0, 1, 2]
