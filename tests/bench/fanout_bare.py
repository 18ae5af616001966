"""What the fan-out is measured against: Channels as its documentation has it. A POST's body goes to every open socket."""

import os
from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer
from channels.layers import get_channel_layer
from channels.routing import ProtocolTypeRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "agentconsole.settings")
get_asgi_application()


class Bare(AsyncWebsocketConsumer):
    """A socket in a group."""

    groups = ["bare"]

    async def bare_text(self, event: dict[str, Any]) -> None:
        """Pass a text on to the browser."""
        await self.send(text_data=event["text"])


async def post(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Broadcast the body."""
    body = b""
    while (message := await receive()).get("more_body") or message.get("body"):
        body += message["body"]
        if not message.get("more_body"):
            break
    if body:
        await get_channel_layer().group_send("bare", {"type": "bare.text", "text": body.decode()})
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"sent"})


application = ProtocolTypeRouter({"http": post, "websocket": Bare.as_asgi()})
