"""SIGTERM to a web process with 200 requests in flight and 200 long polls: all are answered, and it exits 0 within its deadline."""

import json
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from agentconsole.protocol.ids import uuid7
from tests.ingest.items import event, new_run, run_started
from tests.metrics.scraping import values
from tests.processes.running import ROOT, RunningConsole, wait_for
from tests.processes.services import own_services

pytestmark = pytest.mark.processes
POLLS = 200
# In flight in each of the ways there are: half of the body is here, the whole request is, it waits in the port's queue.
BEGUN, SENT, QUEUED = 120, 40, 40
DRAIN_S = 20


class Served:
    """A web process that has its port to itself, and an agent's way to it."""

    def __init__(self, setting: RunningConsole) -> None:
        self.setting = setting
        setting.manage("migrate", "-v", "0")
        setting.manage("setup_console")
        token = setting.manage("issue_credential", "dev", "triage", "one")
        command = [sys.executable, "manage.py", "serve", "--port", "0"]
        with setting.output.open("wb") as output:
            self.process = subprocess.Popen(command, cwd=ROOT, env=setting.env, stdout=output, stderr=output)
        wait_for("it serves", lambda: setting.events("SERVER_STARTED"), within_s=60)
        self.address = ("127.0.0.1", int(setting.events("SERVER_STARTED")[0]["port"]))
        self.head = f"Host: 127.0.0.1\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n"
        self.client = httpx.Client(
            base_url="http://{}:{}".format(*self.address), headers={"Authorization": f"Bearer {token}"}, timeout=20
        )

    def connect(self) -> socket.socket:
        """A bare connection."""
        return socket.create_connection(self.address, timeout=DRAIN_S + 10)

    def ingest(self, number: int) -> bytes:
        """A request that stores one run with one event, whose answer ends its connection."""
        run = new_run()
        body = json.dumps({"items": [run_started(run), event(run, fields={"n": number})]})
        return f"POST /api/v1/ingest HTTP/1.0\r\n{self.head}Content-Length: {len(body)}\r\n\r\n{body}".encode()

    def poll(self, action_id: str) -> bytes:
        """A poll that would wait for 30 s."""
        return f"GET /api/aap/v1/requests/{action_id}?wait=30s HTTP/1.0\r\n{self.head}\r\n".encode()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with own_services() as services:
        running = Served(RunningConsole(tmp_path, **services, DRAIN_S=str(DRAIN_S)))
        yield running
        running.client.close()
        running.process.kill()
        running.process.wait()


def answers_of(connections: list[socket.socket]) -> list[tuple[int, str]]:
    """Status and body that each connection gets before it is closed."""
    found = []
    for connection in connections:
        with connection:
            received = b""
            while piece := connection.recv(65536):
                received += piece
        head, _, body = received.decode().partition("\r\n\r\n")
        status = re.match(r"HTTP/1\.\d (\d+)", head)
        found.append((int(status[1]) if status else 0, body))
    return found


def polls_waiting(served: Served) -> float:
    return sum(values(served.client.get("/metrics").raise_for_status().text, "agentconsole_approval_polls").values())


def test_all_that_is_in_flight_is_answered(served: Served):
    asked = served.client.post(
        "/api/aap/v1/requests",
        json={"tool": "restart", "arguments": {}, "timeout": "30m"},
        headers={"Idempotency-Key": str(uuid7())},
    ).raise_for_status()
    polls = [served.connect() for _ in range(POLLS)]
    for connection in polls:
        connection.sendall(served.poll(asked.json()["id"]))
    wait_for("all polls wait", lambda: polls_waiting(served) == POLLS)
    requests = [served.ingest(number) for number in range(BEGUN + SENT + QUEUED)]
    in_flight = [served.connect() for _ in range(BEGUN + SENT)]
    for connection, request in zip(in_flight[:BEGUN], requests, strict=False):
        connection.sendall(request[:-10])
    served.client.get("/health/live")  # what came before it has been read

    served.process.send_signal(signal.SIGSTOP)
    in_flight += [served.connect() for _ in range(QUEUED)]
    for connection, request in zip(in_flight[BEGUN:], requests[BEGUN:], strict=True):
        connection.sendall(request)
    served.process.send_signal(signal.SIGTERM)
    asked_at = time.monotonic()
    served.process.send_signal(signal.SIGCONT)
    wait_for("the drain has begun", lambda: served.setting.events("DRAIN_STARTED"))

    ready = served.client.get("/health/ready")  # on the connection that was open before
    assert (ready.status_code, ready.json()["status"]) == (503, "draining")
    polled = answers_of(polls)  # while 120 bodies are still on their way
    for connection, request in zip(in_flight[:BEGUN], requests, strict=False):
        connection.sendall(request[-10:])
    answered = answers_of(in_flight)

    assert [(status, json.loads(body)["status"]) for status, body in polled] == [(200, "pending")] * POLLS
    assert [status for status, _ in answered] == [200] * len(requests), answered
    assert [json.loads(body)["accepted"] for _, body in answered] == [2] * len(requests)
    assert served.process.wait(DRAIN_S) == 0
    assert time.monotonic() - asked_at < DRAIN_S
    assert served.setting.events("DRAIN_FINISHED")[0]["cut_off"] == 0
    count = "from runs.models import TraceEvent; print(TraceEvent.objects.count())"
    assert served.setting.manage("shell", "-v", "0", "-c", count) == str(len(requests))
