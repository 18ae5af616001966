"""TLS is for the name in the URL, though the connection goes to an address."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from agentapprovalprotocol.receiver import new_secret

from approvals.webhooks import sending
from approvals.webhooks.sending import Answer, post_signed
from tests.approvals.webhooks.receivers import whole_message
from tests.certificates import certificate


@contextmanager
def tls_server(paths: tuple[Path, Path]) -> Iterator[tuple[int, list[str | None]]]:
    """A server that acknowledges one message; its port, and the names that it was asked for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*paths)
    asked: list[str | None] = []
    context.sni_callback = lambda _socket, name, _context: asked.append(name)
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listening.accept()
        try:
            with context.wrap_socket(connection, server_side=True) as secured:
                whole_message(secured)
                secured.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
        except OSError:
            connection.close()

    thread = Thread(target=serve)
    thread.start()
    try:
        yield listening.getsockname()[1], asked
    finally:
        thread.join()
        listening.close()


@pytest.fixture
def _private(settings: Any) -> None:
    settings.WEBHOOK_ALLOW_PRIVATE = True


@pytest.mark.usefixtures("_private")
@pytest.mark.parametrize(
    ("certified", "is_trusted", "is_sent"),
    [("hook.example", True, True), ("hook.example", False, False), ("other.example", True, False)],
)
def test_a_message_goes_only_to_who_can_prove_the_name(
    certified: str, is_trusted: bool, is_sent: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    paths = certificate(tmp_path, certified)
    if is_trusted:
        monkeypatch.setattr(sending, "_tls", lambda: ssl.create_default_context(cafile=paths[0]))
    with tls_server(paths) as (port, asked):
        answer = sent(f"https://hook.example:{port}/aap")
    assert answer.is_acknowledged is is_sent
    assert asked == ["hook.example"]


def sent(url: str) -> Answer:
    return post_signed(
        url, message_id="1", body=b"{}", secret=new_secret(), resolver=lambda _host, _port: ["127.0.0.1"]
    )
