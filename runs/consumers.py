"""The live socket: a browser's subscriptions, checked like pages are (docs/architecture.md, "Live")."""

import asyncio
import json
import random
from importlib import import_module
from typing import Any, ClassVar

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest

from agentconsole import metrics
from agentconsole.errors import BadRequestError, ConsoleError, ForbiddenError, UnauthorizedError, error_body
from agentconsole.live import Socket, environment_of, in_thread, refusal, running_hub
from agentconsole.logconf import get_logger
from runs.access import visible_environments

log = get_logger(__name__)

TOPICS_MAX = 20
MESSAGE_MAX = 4096
MISTAKES_MAX = 20
RECHECK_S = 30.0


class BadMessageError(BadRequestError):
    """A message that is none of the protocol's."""

    code = "bad_message"


class TooManyTopicsError(BadRequestError):
    """More subscriptions than one socket may have."""

    code = "too_many_topics"


class LiveConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]  # Channels has no types
    """One browser's socket: hands its subscriptions and acknowledgements to the hub, which does the sending."""

    # No channel of its own: the hub listens once for the whole process.
    channel_layer_alias = ""
    recheck_s: ClassVar[float] = RECHECK_S
    socket: Socket | None = None
    watch: asyncio.Task[None] | None = None

    async def __call__(self, scope: Any, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Serve the socket to its end, however it comes: closed, broken or cancelled."""
        self.environments: dict[str, str] = {}
        self.mistakes = 0
        try:
            await super().__call__(scope, receive, send)
        finally:
            if self.watch is not None:
                self.watch.cancel()
                await asyncio.gather(self.watch, return_exceptions=True)
            if self.socket is not None:
                metrics.LIVE_SOCKETS.dec()
                await self.hub.leave(self.socket)

    async def dispatch(self, message: Any) -> None:
        """Without Channels' hop to a thread for each message: nothing here touches the database but through one."""
        match message["type"]:
            case "websocket.connect":
                await self.connect()
            case "websocket.receive":
                await self._receive(message.get("text"))
            case "websocket.disconnect":
                await self.websocket_disconnect(message)

    async def connect(self) -> None:
        """Accept, then close with 4401 if nobody is signed in: a refused handshake would tell the browser no code."""
        await self.accept()
        if not self.scope["user"].is_authenticated:
            await self.close(UnauthorizedError.close_code)
            return
        self.socket = Socket(self.send, self.close)
        self.hub = running_hub()
        self.hub.join(self.socket)
        metrics.LIVE_SOCKETS.inc()
        self.watch = asyncio.create_task(self._keep_checking())
        log.info("SOCKET_OPENED")

    async def disconnect(self, code: int) -> None:
        """The socket is closed."""
        if self.socket is not None:
            log.info("SOCKET_CLOSED", code=code, sent=self.socket.sent)

    async def _receive(self, text: str | None) -> None:
        if self.socket is None or self.socket.is_closed:
            return
        try:
            await self._obey(self.socket, _message_in(text))
        except ConsoleError as error:
            await self.send(json.dumps(error_body(error)))
            self.mistakes += 1
            if self.mistakes >= MISTAKES_MAX:
                await self.socket.close(error.close_code)

    async def _obey(self, socket: Socket, message: dict[str, Any]) -> None:
        match message:
            case {"ack": int(number)}:
                if not self.hub.ack(socket, number):
                    raise BadMessageError(f"{socket.sent} frames were sent so far; no more can be acknowledged.")
            case {"ping": int() | str() as mark}:
                await self.send(json.dumps({"pong": mark}))
            case {"subscribe": str(name)}:
                await self._subscribe(socket, name, message.get("after"))
            case {"unsubscribe": str(name)}:
                self.environments.pop(name, None)
                await self.hub.unsubscribe(socket, name)
            case _:
                raise BadMessageError('Send {"subscribe", "after"}, {"unsubscribe"}, {"ack"} or {"ping"}.')

    async def _subscribe(self, socket: Socket, name: str, after: object) -> None:
        """Subscribe, or be told in a frame of that topic why not."""
        try:
            if len(socket.topics | {name}) > TOPICS_MAX:
                raise TooManyTopicsError(f"One socket takes {TOPICS_MAX} topics. Unsubscribe from one first.")
            environment = await in_thread(environment_of, self.scope["user"], name)
            await self.hub.subscribe(socket, name, after)
            self.environments[name] = environment
        except ConsoleError as error:
            await socket.send(refusal(name, error))

    async def _keep_checking(self) -> None:
        """Close the socket of a person who has signed out, was made inactive, or may no longer see what it shows."""
        while True:
            # Not all at once, after a deploy has made them all come back at once.
            await asyncio.sleep(self.recheck_s * random.uniform(0.8, 1.2))  # noqa: S311  spread, not secrecy
            try:
                reason = await in_thread(refusal_of, self.scope["session"].session_key, set(self.environments.values()))
            except Exception as error:
                log.warning("SOCKET_CHECK_FAILED", error=type(error).__name__, exc_info=error)
            else:
                if reason is not None and self.socket is not None:
                    await self.socket.close(reason.close_code)
                    return


def refusal_of(session_key: str, environments: set[str]) -> type[ConsoleError] | None:
    """Why a session may no longer look into these environments, or None if it may. Read anew: five queries at most."""
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    person = get_user(request)
    if not person.is_authenticated:
        return UnauthorizedError
    if environments - set(visible_environments(person)):
        return ForbiddenError
    return None


def _message_in(text: str | None) -> dict[str, Any]:
    if text is None or len(text) > MESSAGE_MAX:
        raise BadMessageError(f"A message is text of at most {MESSAGE_MAX} characters.")
    try:
        message = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadMessageError("A message is one JSON object.") from error
    if not isinstance(message, dict):
        raise BadMessageError("A message is one JSON object.")
    return message
