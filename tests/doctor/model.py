"""A small real HTTP server that answers as an OpenAI-compatible endpoint does, or fails as one does."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any


class Model:
    """Says `answer` with `status`; keeps what it was asked."""

    def __init__(self) -> None:
        self.status = 200
        self.answer: Any = {"choices": [{"message": {"content": " Make room. "}}], "usage": {"total_tokens": 12}}
        self.requests: list[dict[str, Any]] = []
        model = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                model.requests.append({"path": self.path, "asked": asked, **dict(self.headers)})
                body = model.answer if isinstance(model.answer, bytes) else json.dumps(model.answer).encode()
                self.send_response(model.status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: Any) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """From now on nobody listens there."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
