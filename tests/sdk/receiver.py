"""A small real HTTP server that answers like the console's ingest, and fails in the ways that consoles and networks fail."""

import gzip
import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = tuple[int, dict[str, str], Any]


class Receiver:
    """Keeps what it accepted. `respond` may be replaced: it gets the items and returns an answer, or None to accept."""

    def __init__(self, port: int = 0) -> None:
        self.items: dict[str, dict[str, Any]] = {}
        self.history: list[dict[str, Any]] = []
        self.requests: list[dict[str, Any]] = []
        self.respond: Callable[[list[dict[str, Any]]], Answer | None] = lambda _items: None
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.requests.append({"path": self.path, "bytes": len(body), **dict(self.headers)})
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                status, headers, answer = receiver.take(json.loads(body)["items"])
                payload = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(payload))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(payload)

            def log_message(self, *args: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *args: Any) -> None:
                pass  # a killed agent's broken pipe

        self._server = Server(("127.0.0.1", port), Handler)
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    def take(self, items: list[dict[str, Any]]) -> Answer:
        answer = self.respond(items)
        if answer is not None:
            return answer
        fresh = [item for item in items if self._key(item) not in self.items or item["type"] == "span"]
        self.items.update({self._key(item): item for item in items})
        self.history.extend(items)
        return 200, {}, {"accepted": len(fresh), "duplicates": len(items) - len(fresh), "rejected": []}

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The items of a type, in the order of their first arrival, each as it stands last."""
        return [item for item in self.items.values() if item["type"] == kind]

    def tokens(self) -> list[str]:
        return [item["token"] for item in self.of("event")]

    def span(self, name: str) -> dict[str, Any]:
        (found,) = [item for item in self.of("span") if item["name"] == name]
        return found

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @staticmethod
    def _key(item: dict[str, Any]) -> str:
        return f"{item['type']} {item['id']}"


def wait_until(is_so: Callable[[], Any], within_s: float = 10.0) -> None:
    """Poll until it is so; AssertionError where it does not come to be within the time."""
    until = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < until, "it did not come to be in time"
        time.sleep(0.01)
