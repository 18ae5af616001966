"""A server that answers as Vault's and OpenBao's HTTP API does: KV version 2, token and AppRole authentication, namespaces, sealing."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ROOT, ROLE_ID, SECRET_ID = "hvs.root", "role-1", "secret-id-1"


@dataclass
class FakeVault:
    """What it holds (`mount/path`: versions, None where one was deleted), which token may read below which paths, and what it was asked."""

    url: str = ""
    secrets: dict[str, list[dict[str, Any] | None]] = field(default_factory=dict)
    policies: dict[str, tuple[str, ...]] = field(default_factory=lambda: {ROOT: ("",)})
    is_sealed: bool = False
    namespace: str = ""
    logins: int = 0
    reads: list[str] = field(default_factory=list)
    instead: tuple[int, bytes] | None = None

    def answer(self, method: str, path: str, headers: Any, body: bytes) -> tuple[int, Any]:
        """Status and JSON, as documented."""
        if self.is_sealed:
            return 503, {"errors": ["Vault is sealed"]}
        if headers.get("X-Vault-Request") != "true":
            return 412, {"errors": ["missing X-Vault-Request"]}
        if headers.get("X-Vault-Namespace", "") != self.namespace:
            return 403, {"errors": ["permission denied"]}
        if (method, path) == ("POST", "auth/approle/login"):
            return self._login(json.loads(body))
        mount, _, rest = path.partition("/data/")
        self.reads.append(rest)
        allowed = self.policies.get(headers.get("X-Vault-Token", ""))
        if allowed is None or not any(rest.startswith(prefix) for prefix in allowed):
            return 403, {"errors": ["1 error occurred:\n\t* permission denied\n\n"]}
        return self._read(f"{mount}/{rest}")

    def _login(self, body: dict[str, str]) -> tuple[int, Any]:
        if body != {"role_id": ROLE_ID, "secret_id": SECRET_ID}:
            return 400, {"errors": ["invalid role or secret ID"]}
        self.logins += 1
        token = f"hvs.login-{self.logins}"
        self.policies[token] = ("prod",)
        return 200, {"auth": {"client_token": token, "lease_duration": 3600, "renewable": True}}

    def _read(self, path: str) -> tuple[int, Any]:
        versions = self.secrets.get(path)
        if not versions:
            return 404, {"errors": []}
        metadata = {"version": len(versions), "destroyed": False, "deletion_time": ""}
        if versions[-1] is None:
            return 404, {"data": {"data": None, "metadata": metadata | {"deletion_time": "2026-11-27T00:00:00Z"}}}
        return 200, {"data": {"data": versions[-1], "metadata": metadata}}


@contextmanager
def fake_vault() -> Iterator[FakeVault]:
    """One that runs, on a port of its own."""
    vault = FakeVault()

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, told = vault.answer(self.command, self.path.removeprefix("/v1/"), self.headers, body)
            status, content = vault.instead or (status, json.dumps(told).encode())
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            if status == 307:
                self.send_header("Location", "http://127.0.0.1:9/v1/elsewhere")
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _serve  # noqa: N815  http.server's names

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        vault.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield vault
        finally:
            server.shutdown()
            thread.join()
