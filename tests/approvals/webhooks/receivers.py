"""A small receiver behind a real socket: it checks each signature as the protocol's package does, and answers as it is told."""

import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import socket
from threading import Thread
from typing import Any

from agentapprovalprotocol.receiver import new_secret, verify

Reply = Callable[[dict[str, Any]], tuple[int, bytes]]


def honest(message: dict[str, Any]) -> tuple[int, bytes]:
    """Gives a challenge back, acknowledges everything else."""
    if message["type"] == "webhook.verification":
        return 200, json.dumps({"challenge": message["challenge"]}).encode()
    return 204, b""


class Receiver:
    """What it is registered as, what came in (signatures good), and how it replies."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.secret = new_secret()
        self.registration_id = str(uuid.uuid4())
        self.reply: Reply = honest
        self.got: list[dict[str, Any]] = []

    @property
    def delivery(self) -> dict[str, str]:
        """The `delivery` of a provisioning."""
        return {
            "type": "webhook", "url": self.url, "registration_id": self.registration_id, "signing_secret": self.secret,
        }  # fmt: skip

    def register_anew(self) -> dict[str, str]:
        """Another registration and secret for the same URL."""
        self.secret, self.registration_id = new_secret(), str(uuid.uuid4())
        return self.delivery

    def kinds(self) -> list[str]:
        """The types of what came in, in order."""
        return [message["type"] for message in self.got]


def whole_message(connection: socket) -> bytes:
    """Everything that a message consists of: closing before it has come resets the connection, and its answer with it."""
    got = b""
    while b"\r\n\r\n" not in got:
        got += connection.recv(65536)
    head, _, body = got.partition(b"\r\n\r\n")
    length = next(int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
    while len(body) < length:
        more = connection.recv(65536)
        body, got = body + more, got + more
    return got


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver that listens."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            message = verify(receiver.secret, dict(self.headers), body)
            receiver.got.append(message)
            status, answer = receiver.reply(message)
            self.send_response(status)
            self.send_header("Location", receiver.url)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver = Receiver(f"http://127.0.0.1:{server.server_port}/aap/events?of=tests")
    thread = Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
