"""The console as it answers over HTTP and on its ports."""

import socket
import time
from dataclasses import dataclass
from typing import Any

import httpx
from django.conf import settings
from kombu import Connection
from kombu.exceptions import KombuError

from agentconsole.sdk import ToolDegraded

PORT_TIMEOUT_S = 1.0
QUEUE = "celery"


@dataclass(frozen=True, slots=True)
class Web:
    """The console over HTTP, without a session. Calls carry the run's request id where its client is a run's."""

    client: httpx.Client

    def health_live(self, asks: int, pause_s: float) -> list[float]:
        """Milliseconds that each of `asks` answers took."""
        took: list[float] = []
        for _ in range(asks):
            started = time.perf_counter()
            self.client.get("/health/live").raise_for_status()
            took.append(round((time.perf_counter() - started) * 1000, 2))
            time.sleep(pause_s)
        return took

    def health_ready(self) -> dict[str, Any]:
        """The report of the console's parts. ToolDegraded names those that are not proven."""
        answer = self.client.get("/health/ready")
        if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            parts = answer.json()["components"]
            failing = [f"{name} ({part['detail']})" for name, part in parts.items() if part["status"] != "ok"]
            raise ToolDegraded(f"not ready: {', '.join(failing) or answer.json()['status']}")
        answer.raise_for_status()
        report: dict[str, Any] = answer.json()
        return report

    def read_without_session(self, run_id: str) -> dict[str, Any]:
        """A run's log, asked for as a stranger would."""
        answer = self.client.get(f"/api/v1/runs/{run_id}/log")
        answer.raise_for_status()
        log: dict[str, Any] = answer.json()
        return log


def port_probe(host: str, port: int) -> dict[str, float]:
    """Milliseconds until something took the connection."""
    started = time.perf_counter()
    with socket.create_connection((host, port), timeout=PORT_TIMEOUT_S):
        return {"connected_ms": round((time.perf_counter() - started) * 1000, 2)}


def queue_depth() -> dict[str, int]:
    """Tasks that wait for a worker, by the broker's own count. ToolDegraded where it can't be asked."""
    broker: Any = Connection(
        settings.CELERY_BROKER_URL,
        transport_options=settings.CELERY_BROKER_TRANSPORT_OPTIONS,
        connect_timeout=2,
    )
    try:
        with broker:
            return {"waiting": broker.default_channel.queue_declare(QUEUE, passive=True).message_count}
    except (KombuError, *broker.connection_errors, *broker.channel_errors) as error:
        raise ToolDegraded(f"the broker can't be asked: {type(error).__name__}") from error
