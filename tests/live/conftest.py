"""The cast of the live tests, and a browser that speaks the wire protocol."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, ClassVar

import pytest
from asgiref.testing import ApplicationCommunicator
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import User
from django.test import Client

from agentconsole import live
from agentconsole.asgi import application
from agentconsole.live.probe import ChangeProbe
from agentconsole.protocol.ids import uuid7
from runs.models import Environment
from runs.services.bootstrap import make_groups_and_environments

PATIENCE_S = 10


class Wire(WebsocketCommunicator):
    """Channels' communicator keeps database connections open while it talks, for tests inside one transaction.

    These are not: what the application's threads leave open would meet the next test.
    """

    send_input = ApplicationCommunicator.send_input
    receive_output = ApplicationCommunicator.receive_output


class Browser:
    """One live socket, as a browser has it: applies frames to what it shows, and acknowledges them."""

    def __init__(self, communicator: Wire) -> None:
        self.communicator = communicator
        self.frames: list[dict[str, Any]] = []
        self.acks = True

    async def send(self, **message: Any) -> None:
        await self.communicator.send_json_to(message)

    async def subscribe(self, topic: str, after: object) -> None:
        await self.send(subscribe=topic, after=after)

    async def receive(self) -> dict[str, Any]:
        """The next message, whatever it is."""
        message = await self.communicator.receive_json_from(timeout=PATIENCE_S)
        if "topic" in message:
            self.frames.append(message)
            if self.acks:
                await self.send(ack=len(self.frames))
        return message

    async def receive_until(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The next message that is wanted; those before it are in `frames`."""
        async with asyncio.timeout(PATIENCE_S):
            while not wanted(message := await self.receive()):
                pass
        return message

    async def until_live(self, topic: str) -> dict[str, Any]:
        return await self.receive_until(lambda m: m.get("topic") == topic and m.get("live") is not None)

    async def closed_with(self) -> int:
        """The code that the server closes with; what it sends before that is passed over."""
        async with asyncio.timeout(PATIENCE_S):
            while (message := await self.communicator.receive_output(PATIENCE_S))["type"] != "websocket.close":
                pass
        return message["code"]


def headers_of(client: Client | None, *, origin: str = "http://localhost", **more: str) -> list[tuple[bytes, bytes]]:
    headers = {"host": "localhost", "origin": origin, **more}
    if client is not None:
        headers["cookie"] = f"sessionid={client.cookies['sessionid'].value}"
    return [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items() if value]


@asynccontextmanager
async def browser(client: Client | None, **headers: str) -> AsyncIterator[Browser]:
    """An open socket of a signed-in test client."""
    communicator = Wire(application, "/ws/live", headers=headers_of(client, **headers))
    connected, _protocol = await communicator.connect(timeout=PATIENCE_S)
    assert connected
    try:
        yield Browser(communicator)
    finally:
        await communicator.disconnect(timeout=PATIENCE_S)


@pytest.fixture
def environments(transactional_db: None) -> None:
    """As everywhere, but for `prod`, which only its members see."""
    make_groups_and_environments()
    Environment.objects.filter(name="prod").update(is_restricted=True)


@pytest.fixture
def signed_in(viewer: User) -> Client:
    client = Client()
    client.force_login(viewer)
    return client


class Notebook:
    """A topic without a database: numbered lines that a test writes."""

    spacing_s: ClassVar[float] = 0.02
    is_ordered: ClassVar[bool] = True
    limit = 3
    lines: list[str] = []
    reads: list[tuple[int, int | None]] = []
    broken: BaseException | None = None
    on_read: Callable[[], None] | None = None

    def __init__(self, name: str) -> None:
        self.name = name

    def start(self, after: Any) -> int:
        return int(after)

    def read(self, after: Any, upto: Any) -> live.Page:
        if Notebook.on_read is not None:
            Notebook.on_read()
        if Notebook.broken is not None:
            raise Notebook.broken
        Notebook.reads.append((after, upto))
        end = len(Notebook.lines) if upto is None else upto
        cursor = min(after + Notebook.limit, end)
        lines = Notebook.lines[after:cursor]
        frame = {"topic": self.name, "after": after, "seq": cursor, "lines": lines}
        return live.Page(json.dumps(frame) if lines else "", cursor, more=cursor < end)

    @classmethod
    def stale(cls, heads: Any) -> set[str]:
        return {name for name, head in heads.items() if head != len(cls.lines)}


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> type[Notebook]:
    """The topic `notebook:…`, empty."""
    for name, value in (("lines", []), ("reads", []), ("broken", None), ("on_read", None), ("limit", 3)):
        monkeypatch.setattr(Notebook, name, value)
    # Its lines are in no database, so none can tell the poll that there are new ones.
    monkeypatch.setattr(ChangeProbe, "has_changed", lambda _probe: True)
    live.register_topic("notebook", Notebook, environment_of=lambda _person, _name: "dev")
    return Notebook


class Reader:
    """A subscriber of the hub without a wire."""

    def __init__(self) -> None:
        self.texts: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.codes: asyncio.Queue[int] = asyncio.Queue()
        self.socket = live.Socket(self._send, self.codes.put)

    async def _send(self, text: str) -> None:
        self.texts.put_nowait(json.loads(text))

    async def next(self) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE_S):
            return await self.texts.get()

    async def lines(self, count: int) -> list[str]:
        """The lines of the frames to come, until there are so many."""
        found: list[str] = []
        while len(found) < count:
            found += (await self.next()).get("lines", [])
        return found


@asynccontextmanager
async def readers(count: int) -> AsyncIterator[list[Reader]]:
    made = [Reader() for _ in range(count)]
    for reader in made:
        live.running_hub().join(reader.socket)
    try:
        yield made
    finally:
        for reader in made:
            await live.running_hub().leave(reader.socket)


@pytest.fixture
def run_id() -> uuid.UUID:
    return uuid7()
