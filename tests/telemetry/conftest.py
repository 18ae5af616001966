"""This process, sending to collectors of its own."""

from collections.abc import Iterator
from typing import Any

import pytest

from agentconsole import telemetry
from agentconsole.telemetry import complaints
from tests.jobs.conftest import sent, worker
from tests.telemetry.collectors import Collector, collecting, dsn_of

__all__ = ["sent", "worker"]  # of the tests of tasks


@pytest.fixture
def collector() -> Iterator[Collector]:
    """A collector of traces and errors."""
    with collecting() as found:
        yield found


@pytest.fixture
def _pointed(collector: Collector, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables lead to the collector. OpenTelemetry's SDK reads them from the environment."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "20")
    settings.OTEL_EXPORTER_OTLP_ENDPOINT = collector.url
    settings.SENTRY_DSN = dsn_of(collector)
    monkeypatch.setattr(complaints, "_told_at", {})


@pytest.fixture
def started(_pointed: None) -> Iterator[None]:
    """Telemetry is on."""
    telemetry.stop()  # a worker of these tests may have begun before the variables were set
    telemetry.start()
    yield
    telemetry.stop()
