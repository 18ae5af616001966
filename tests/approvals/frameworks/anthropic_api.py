"""A model behind the Messages API, for the real `claude`: asks for one call, then says that it is done."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Event = dict[str, Any]


class Api(ThreadingHTTPServer):
    """`told` is what the model heard of its calls."""

    daemon_threads = True

    def __init__(self, tool: str, arguments: dict[str, Any]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.call = {"type": "tool_use", "id": "toolu_1", "name": tool}
        self.arguments = json.dumps(arguments)
        self.told: list[str] = []

    @property
    def url(self) -> str:
        """Its base URL."""
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    """Every answer is a stream, of words and at most one call."""

    server: Api
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        last = asked["messages"][-1]["content"]
        results = [block for block in last if block["type"] == "tool_result"] if isinstance(last, list) else []
        self.server.told += [json.dumps(block["content"]) for block in results]
        if results or not asked.get("tools"):
            self.stream(message(said("done"), stop="end_turn"))
        else:
            called = block(
                self.server.call | {"input": {}}, type="input_json_delta", partial_json=self.server.arguments
            )
            self.stream(message(said("It hangs."), called, stop="tool_use"))

    def stream(self, events: list[Event]) -> None:
        body = "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        pass


def block(start: Event, **delta: Any) -> tuple[Event, Event]:
    """A block of an answer, in one piece."""
    return {"type": "content_block_start", "content_block": start}, {"type": "content_block_delta", "delta": delta}


def said(text: str) -> tuple[Event, Event]:
    """A block of words."""
    return block({"type": "text", "text": ""}, type="text_delta", text=text)


def message(*blocks: tuple[Event, Event], stop: str) -> list[Event]:
    """An answer's events."""
    begun: Event = {
        "id": "msg",
        "type": "message",
        "role": "assistant",
        "model": "fake",
        "content": [],
        "stop_reason": None,
    }
    usage = {"input_tokens": 1, "output_tokens": 1}
    events: list[Event] = [{"type": "message_start", "message": {**begun, "stop_sequence": None, "usage": usage}}]
    for index, parts in enumerate(blocks):
        events += [{**part, "index": index} for part in (*parts, {"type": "content_block_stop"})]
    ended = {"stop_reason": stop, "stop_sequence": None}
    return [*events, {"type": "message_delta", "delta": ended, "usage": usage}, {"type": "message_stop"}]


@contextmanager
def serving(tool: str, arguments: dict[str, Any]) -> Iterator[Api]:
    """The API, answering."""
    with Api(tool, arguments) as api:
        thread = threading.Thread(target=api.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield api
        api.shutdown()
        thread.join()
