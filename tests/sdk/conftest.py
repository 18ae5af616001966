from collections.abc import Callable, Iterator

import pytest

from agentconsole.sdk import Circuit, Console, Retry, Run
from tests.sdk.receiver import Receiver

QUICK = Retry(attempts=3, base_s=0.001, cap_s=0.002)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A console's ingest, over real HTTP."""
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def console(receiver: Receiver) -> Iterator[Console]:
    """An agent's console object that sends to the receiver, and doesn't wait long between tries."""
    with Console(receiver.url, "cred_test", retry=QUICK, exit_deadline_s=2) as console:
        yield console


@pytest.fixture
def off() -> Iterator[Console]:
    """A console object without a console: everything works, nothing is recorded."""
    with Console(retry=QUICK, make_circuit=lambda: Circuit(threshold=3, cooldown_s=60)) as console:
        yield console


@pytest.fixture
def run(off: Console) -> Iterator[Run]:
    """A run in which tools can be called."""
    with off.run() as run:
        yield run


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """The tokens that were logged so far."""
    return lambda: [record.msg["event"] for record in caplog.records if isinstance(record.msg, dict)]
