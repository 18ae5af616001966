"""Which URLs and addresses may be called. Pure: judged for each connection, on the address that is connected to."""

import ipaddress
import re
from typing import ClassVar
from urllib.parse import urlsplit

from agentconsole.errors import ConsoleError

URL_MAX = 2000
HOST_MAX = 200  # of 253 that DNS allows: it is part of a cache's key
_PATTERN = re.compile(r"https?://[A-Za-z0-9._:\[\]-]+([/?][!-~]*)?", re.IGNORECASE)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
# Python counts some of these as global, or did in one version or another; a list that says it does not change.
_REFUSED = tuple(
    map(
        ipaddress.ip_network,
        (
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
            "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
            "224.0.0.0/4", "240.0.0.0/4", "::/128", "::1/128", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32",
            "2002::/16", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
        ),
    )
)  # fmt: skip

# What WEBHOOK_ALLOW_PRIVATE opens; a cloud's metadata never.
_PRIVATE = tuple(
    map(ipaddress.ip_network, ("10.0.0.0/8", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7"))
)
_METADATA = frozenset(map(ipaddress.ip_address, ("169.254.169.254", "fd00:ec2::254")))

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class InvalidWebhookUrlError(ConsoleError):
    """A receiver's URL that is malformed or leads where the console must not call."""

    code: ClassVar[str] = "invalid_webhook_url"
    http_status: ClassVar[int] = 400
    title: ClassVar[str] = "That URL can't be called"


def checked_url(url: str, *, allow_private: bool) -> str:
    """The URL, if its form may be called: HTTPS (plain HTTP only with `allow_private`), no userinfo, no fragment."""
    try:
        parts = urlsplit(url) if len(url) <= URL_MAX and _PATTERN.fullmatch(url) and "#" not in url else None
        is_sound = parts is not None and 0 < len(parts.hostname or "") <= HOST_MAX and parts.port != 0
    except ValueError:  # brackets around what is no address; a port beyond 65535
        parts, is_sound = None, False
    if parts is None or not is_sound:
        raise InvalidWebhookUrlError("delivery.url is an absolute https URL without user, password or fragment.")
    if parts.scheme.lower() != "https" and not allow_private:
        raise InvalidWebhookUrlError("delivery.url has to be https.")
    return url


def may_be_called(text: str, *, allow_private: bool) -> bool:
    """Whether a connection may go to an IP address: a public one; with `allow_private` also loopback and private ones."""
    if is_public(text):
        return True
    try:
        address: Address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    address = _unwrapped(address) or address
    inside = any(address in network for network in _PRIVATE if network.version == address.version)
    return allow_private and inside and address not in _METADATA


def is_public(text: str) -> bool:
    """Whether an IP address may be called: unicast and routable on the internet, also what it wraps (mapped, NAT64)."""
    try:
        address: Address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    inner = _unwrapped(address)
    if inner is not None:
        return is_public(str(inner))
    if any(address in network for network in _REFUSED if network.version == address.version):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _unwrapped(address: Address) -> ipaddress.IPv4Address | None:
    if not isinstance(address, ipaddress.IPv6Address):
        return None
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    is_compatible = int(address) >> 32 == 0 and int(address) > 1
    if address in _NAT64 or is_compatible:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return None
