"""A ConsoleServer in front of a tiny application, for tests of the server alone: `python -m tests.processes.tiny_server`.

`POST /` answers with the body's length; `GET /slow` after the number of seconds in the query; `/hang` does so too, and blocks a
thread, `/freeze` the event loop. Sockets are accepted.
"""

import asyncio
import json
import logging.config
import sys
import time
from typing import Any

from agentconsole.lifecycle import leave
from agentconsole.logconf import logging_config
from agentconsole.management.listening import listen, url_of
from agentconsole.server import ConsoleServer

MAX_BODY_BYTES = 100_000


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer one request or hold one socket."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        while (await receive())["type"] != "websocket.disconnect":
            pass
        return
    length = 0
    while True:
        message = await receive()
        length += len(message.get("body", b""))
        if not message.get("more_body"):
            break
    if scope["path"] == "/slow":
        print("begun", flush=True)
        await asyncio.sleep(float(scope["query_string"]))
    elif scope["path"] == "/hang":
        await asyncio.to_thread(say_and_sleep, float(scope["query_string"]))
    elif scope["path"] == "/freeze":
        say_and_sleep(float(scope["query_string"]))
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": json.dumps({"length": length}).encode()})


def say_and_sleep(seconds: float) -> None:
    """Block whatever calls."""
    print("begun", flush=True)
    time.sleep(seconds)


def main() -> None:
    """Serve on a free port, and print it."""
    logging.config.dictConfig(logging_config(level="INFO", log_format="json"))
    receive_timeout_s, drain_s = map(float, sys.argv[1:])
    with listen("127.0.0.1", 0) as listening:
        print(url_of(listening), flush=True)
        server = ConsoleServer(
            application, listening, max_body_bytes=MAX_BODY_BYTES, receive_timeout_s=receive_timeout_s, drain_s=drain_s
        )
        leave(server.run())


if __name__ == "__main__":
    main()
