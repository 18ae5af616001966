"""`/metrics`, answered before Django: without a session, in threads of its own, so that a scrape costs nobody else."""

import asyncio
import hmac
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv6Address, ip_address

from django.conf import settings
from django.http.request import split_domain_port, validate_host
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector

from agentconsole import metrics
from agentconsole.errors import UnauthorizedError, error_body
from agentconsole.monitoring.board import BoardCollector
from agentconsole.monitoring.database import DatabaseCollector
from agentconsole.protocol.context import RequestContext, Transport, bound_context
from agentconsole.sockets import Application, Receive, Scope, Send, headers_of

PATH = "/metrics"
REFUSED = (
    "The metrics are for the monitoring of this console. Send its METRICS_TOKEN as `Authorization: Bearer …`; "
    "without one set, only a console in development shows them, to direct calls from its own machine."
)
# What a proxy adds. One that adds nothing can't be told from a direct call, which is why `prod` asks for the token.
_FORWARDED = {"forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via"}
_threads = ThreadPoolExecutor(2, thread_name_prefix="metrics")


def with_metrics(application: Application) -> Application:
    """The ASGI application, with `GET /metrics` in front of it."""

    async def measured(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != PATH or scope["method"] not in ("GET", "HEAD"):
            await application(scope, receive, send)
            return
        headers = headers_of(scope)
        with bound_context(RequestContext.from_headers(headers, Transport.REST)) as context:
            if may_read(headers, scope.get("client")):
                loop = asyncio.get_running_loop()
                status, content_type, body = await loop.run_in_executor(_threads, _shown, headers.get("accept", ""))
            else:
                status, content_type, body = _refused()
        named = {
            "Content-Type": content_type,
            "Content-Length": str(len(body)),
            "Cache-Control": "no-store",
            "X-Request-ID": context.request_id,
        }
        if status == UnauthorizedError.http_status:
            named["WWW-Authenticate"] = "Bearer"
        pairs = [(name.lower().encode(), value.encode("latin1")) for name, value in named.items()]
        await send({"type": "http.response.start", "status": status, "headers": pairs})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    return measured


def may_read(headers: Mapping[str, str], client: tuple[str, int] | None) -> bool:
    """Whether the caller holds METRICS_TOKEN; without one, in `dev`, whether it calls from this machine and through no proxy."""
    if settings.METRICS_TOKEN:
        scheme, _, offered = headers.get("authorization", "").partition(" ")
        is_it = hmac.compare_digest(offered.strip().encode(), settings.METRICS_TOKEN.encode())
        return scheme.lower() == "bearer" and is_it
    if settings.IS_PROD or settings.BEHIND_TLS_PROXY or _FORWARDED & headers.keys():
        return False
    # The host: another site's page, whose name was made to point here, is a direct call from this machine too.
    name, _port = split_domain_port(headers.get("host", ""))
    return _is_loopback(client) and validate_host(name, settings.ALLOWED_HOSTS)


def _is_loopback(client: tuple[str, int] | None) -> bool:
    try:
        address = ip_address(client[0] if client else "")
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback


def _refused() -> tuple[int, str, bytes]:
    error = UnauthorizedError(REFUSED)
    return error.http_status, "application/json", json.dumps(error_body(error)).encode()


def registry_of(database: DatabaseCollector) -> CollectorRegistry:
    """All that is shown: what was counted (by all processes that share a folder), then what is so right now."""
    registry = CollectorRegistry()
    if metrics.FILES:
        MultiProcessCollector(registry, metrics.FILES)  # type: ignore[no-untyped-call]
    else:
        registry.register(metrics.DECLARED)
    ProcessCollector(registry=registry)
    registry.register(BoardCollector())
    registry.register(database)
    return registry


shown = registry_of(DatabaseCollector())


def _shown(accept: str) -> tuple[int, str, bytes]:
    encode, content_type = choose_encoder(accept)
    return 200, content_type, encode(shown)
