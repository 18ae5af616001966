from collections.abc import Iterator

import pytest

from agentconsole.sdk import Console
from tests.sdk.receiver import Receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def console(receiver: Receiver) -> Iterator[Console]:
    console = Console(receiver.url, "cred_test")
    yield console
    console.close(2)
