"""Which addresses are called: only those on the internet, judged on the address that is connected to."""

import ipaddress
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import time_machine
from agentapprovalprotocol.receiver import new_secret, verify
from hypothesis import given
from hypothesis import strategies as st

from approvals.webhooks.addresses import InvalidWebhookUrlError, checked_url, is_public, may_be_called
from approvals.webhooks.sending import post_signed, retry_after_s
from approvals.webhooks.signing import is_secret, signature
from tests.approvals.webhooks.receivers import whole_message

SECRET = new_secret()


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "255.255.255.255", "240.0.0.1", "192.0.2.1", "198.18.0.1", "203.0.113.9", "::1", "::", "fe80::1", "fe80::1%eth0",
        "fc00::1", "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1",
        "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a00:1", "64:ff9b:1:a9fe:a9:fe00:808:808", "2002:7f00:1::", "2001:0:7f00:1::", "2001:db8::1",
        "fec0::1", "no address",
    ],
)  # fmt: skip
def test_an_address_that_must_not_be_called(address: str):
    assert not is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.215.14", "2606:4700:4700::1111", "64:ff9b::808:808"])
def test_an_address_on_the_internet(address: str):
    assert is_public(address)


INSIDE = ("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "::1", "fc00::1", "::ffff:127.0.0.1")
NEVER = (
    "169.254.169.254", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "fd00:ec2::254", "169.254.0.1", "fe80::1%eth0", "224.0.0.1",
    "0.0.0.0", "::", "255.255.255.255", "100.64.0.1", "64:ff9b:1::a00:1", "no address",
)  # fmt: skip


@pytest.mark.parametrize("address", [*INSIDE, *NEVER])
def test_the_setting_for_development_opens_loopback_and_private_addresses_only(address: str):
    assert may_be_called(address, allow_private=True) is (address in INSIDE)
    assert not may_be_called(address, allow_private=False)


@given(st.ip_addresses(v=4))
def test_an_address_is_judged_the_same_however_it_is_wrapped(address: ipaddress.IPv4Address):
    number = int(address)
    for wrapped in (f"::ffff:{address}", str(ipaddress.IPv6Address((0x64_FF9B << 96) | number))):
        assert is_public(wrapped) is is_public(str(address))
    for tunnel in ((0x2002 << 112) | (number << 80), (0x2001_0000 << 96) | (number ^ 0xFFFF_FFFF)):
        assert not is_public(str(ipaddress.IPv6Address(tunnel)))


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/", "https://user:pw@example.org/", "https://example.org/#x", "ftp://example.org/", "https://",
        "example.org", "https://exa mple.org/", "https://example.org\\@evil.org/", "https://example.org:0/", "//example.org",
        "https://example.org:99999/", "https://\u0435xample.org/", "https://" + "a" * 3000, "https://" + "a" * 201,
        "https://[hook/", "https://a\0b.example/", "https://hook.example/a b", "https://hook.example/\x7f", "https://h%6Fok/",
    ],
)  # fmt: skip
def test_a_url_that_is_not_called(url: str):
    with pytest.raises(InvalidWebhookUrlError):
        checked_url(url, allow_private=False)


def send(url: str, *addresses: str) -> Any:
    def resolver(_host: str, _port: int) -> list[str]:
        return list(addresses)

    return post_signed(url, message_id="1", body=b"{}", secret=SECRET, resolver=resolver)


@pytest.mark.parametrize(
    "host", ["metadata.example", "2130706433", "0x7f.1", "0177.0.0.1", "localhost", "127.0.0.1", "[::1]"]
)
def test_a_name_that_leads_inside_is_refused(host: str):
    address = "169.254.169.254" if "metadata" in host else "127.0.0.1"
    assert send(f"https://{host}/x", address).error == "refused address"


def test_a_name_of_which_one_address_leads_inside_is_refused():
    assert send("https://two.example/x", "93.184.215.14", "10.0.0.1").error == "refused address"


def test_dns_that_says_otherwise_a_moment_later_changes_nothing(monkeypatch: pytest.MonkeyPatch):
    asked: list[str] = []
    connected: list[str] = []

    def resolver(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["93.184.215.14"] if len(asked) == 1 else ["127.0.0.1"]

    def connect(address: tuple[str, int], *args: Any, **kwargs: Any) -> socket.socket:
        connected.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", connect)
    post_signed("https://rebind.example/", message_id="1", body=b"{}", secret=SECRET, resolver=resolver)
    assert (asked, connected) == (["rebind.example"], ["93.184.215.14"])


def test_a_name_server_that_takes_its_time_does_not_get_more_than_an_attempt(monkeypatch: pytest.MonkeyPatch):
    asked, over = threading.Event(), threading.Event()

    def slow(_host: str, _port: int) -> list[str]:
        asked.set()
        over.wait(10)
        return ["127.0.0.1"]

    monkeypatch.setattr("approvals.webhooks.sending.ATTEMPT_S", 1.0)
    answer = post_signed("https://slow.example/", message_id="1", body=b"{}", secret=SECRET, resolver=slow)
    over.set()
    assert asked.is_set()
    assert answer.error == "no answer in time"


@pytest.mark.parametrize("error", [OSError("no such name"), UnicodeError("label too long"), ValueError("null byte")])
def test_a_name_that_can_t_be_resolved_is_an_answer_like_any_other(error: Exception):
    def broken(_host: str, _port: int) -> list[str]:
        raise error

    answer = post_signed("https://gone.example/", message_id="1", body=b"{}", secret=SECRET, resolver=broken)
    assert (answer.status, answer.error) == (0, type(error).__name__)


@contextmanager
def server(answer: bytes, *, drip: bool = False) -> Iterator[tuple[str, list[bytes]]]:
    """A server that answers with bytes; its URL and what it was sent."""
    listening = socket.create_server(("127.0.0.1", 0))
    listening.settimeout(10)
    got: list[bytes] = []
    done = threading.Event()

    def serve() -> None:
        try:
            connection, _ = listening.accept()
        except TimeoutError:  # a busy machine: the attempt was over before it had connected
            return
        with connection:
            got.append(whole_message(connection))
            if drip:
                connection.sendall(answer)
                while not done.wait(0.02):
                    try:
                        connection.send(b"x")
                    except OSError:
                        return
            else:
                connection.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/aap", got
    finally:
        done.set()
        thread.join()
        listening.close()


@pytest.fixture
def _private(settings: Any) -> None:
    settings.WEBHOOK_ALLOW_PRIVATE = True


@pytest.mark.usefixtures("_private")
def test_a_message_that_the_protocols_own_receiver_believes():
    with server(b"HTTP/1.1 204 No Content\r\n\r\n") as (url, got):
        assert post_signed(url, message_id="abc", body=b'{"id":"abc"}', secret=SECRET).is_acknowledged
    head, _, body = got[0].partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    assert verify(SECRET, headers, body) == {"id": "abc"}


@pytest.mark.usefixtures("_private")
def test_a_redirect_is_not_followed():
    with server(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n") as (url, _got):
        answer = post_signed(url, message_id="1", body=b"{}", secret=SECRET)
    assert (answer.status, answer.is_acknowledged) == (302, False)


@pytest.mark.usefixtures("_private")
def test_an_address_that_does_not_answer_is_followed_by_the_names_next():
    with server(b"HTTP/1.1 204 No Content\r\n\r\n") as (url, _got):
        named = url.replace("127.0.0.1", "two.example")
        assert send(named, "127.0.0.2", "127.0.0.1").is_acknowledged


@pytest.mark.usefixtures("_private")
def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch):
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with server(b"HTTP/1.1 204 No Content\r\n\r\n") as (url, _got):
        assert post_signed(url, message_id="1", body=b"{}", secret=SECRET).is_acknowledged


@pytest.mark.usefixtures("_private")
def test_a_status_acknowledges_whatever_follows_it():
    huge = b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n" + b"x" * 70_000
    with server(huge) as (url, _got):
        assert post_signed(url, message_id="1", body=b"{}", secret=SECRET).is_acknowledged
    with server(b"HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n", drip=True) as (url, _got):
        assert post_signed(url, message_id="1", body=b"{}", secret=SECRET).status == 202


@pytest.mark.usefixtures("_private")
def test_an_answer_without_end(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("approvals.webhooks.sending.ATTEMPT_S", 0.5)
    with server(b"", drip=True) as (url, _got):
        assert post_signed(url, message_id="1", body=b"{}", secret=SECRET).status == 0
    huge = b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n" + b"x" * 200_000
    with server(huge) as (url, _got):
        assert (
            post_signed(url, message_id="1", body=b"{}", secret=SECRET, is_answer_read=True).error
            == "the answer is too large"
        )


def test_secrets_and_waits():
    assert is_secret(SECRET)
    assert not is_secret("whsec_short")
    assert signature(SECRET, "a", 1, b"x") != signature(SECRET, "a", 2, b"x")
    assert (retry_after_s("7"), retry_after_s(""), retry_after_s("soon")) == (7.0, None, None)
    assert retry_after_s("Wed, 21 Oct 2015 07:28:00 GMT") == 0.0
    with time_machine.travel("2026-11-23T12:00:00Z", tick=False):
        assert retry_after_s("Mon, 23 Nov 2026 12:02:00 GMT") == 120.0
