"""A collector that refuses, hangs or is gone costs no request anything, and is told once."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from agentconsole import telemetry
from agentconsole.logconf import get_logger
from tests.processes.running import wait_for
from tests.telemetry.collectors import Collector

pytestmark = [pytest.mark.usefixtures("started"), pytest.mark.django_db]
Lines = Callable[[str], list[dict[str, Any]]]
log = get_logger(__name__)
QUICK_S = 5


def test_one_that_hangs_holds_up_neither_requests_nor_the_end(collector: Collector):
    collector.hangs = True
    began = time.monotonic()
    Client().get("/login/")
    log.error("CHILD_EXITED")
    assert collector.asked.wait(10)
    for _ in range(5):
        assert Client().get("/login/").status_code == 200
    assert time.monotonic() - began < QUICK_S
    ending = time.monotonic()
    telemetry.stop()
    assert time.monotonic() - ending < telemetry.END_WITHIN_S + 1


def test_one_that_refuses_is_told_once_for_traces_and_once_for_errors(collector: Collector, logged: Lines):
    collector.status = 400
    for _ in range(3):
        collector.asked.clear()
        assert Client().get("/login/").status_code == 200
        log.error("CHILD_EXITED")
        assert collector.asked.wait(10)
    wait_for("both are told", lambda: len(logged("TELEMETRY_NOT_SENT")) == 2)
    telemetry.stop()
    told = logged("TELEMETRY_NOT_SENT")
    assert {line["what"] for line in told} == {"traces", "errors"}
    assert len(told) == 2
    assert all("400" in line["reason"] for line in told)


def test_a_variable_that_can_not_be_read_stops_nothing(settings: Any, logged: Lines):
    telemetry.stop()
    settings.SENTRY_DSN = "https://hunter2/"
    telemetry.start()
    (line,) = logged("TELEMETRY_NOT_STARTED")
    assert line["error"] == "BadDsn"
    assert Client().get("/login/").status_code == 200
