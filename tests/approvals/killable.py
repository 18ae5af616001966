"""A console that may be killed at any moment, and those who work with it, as ordinary clients do: what got no answer is sent again."""

import random
import subprocess
import sys
import threading
from typing import Any

import httpx
from django.db import connection
from django.test import Client

from agentconsole.management.listening import listen, url_of
from agentconsole.protocol.ids import uuid7
from tests.cast import AgentCaller
from tests.live.test_web_processes import variables_of_a_web_process
from tests.processes.running import ROOT, wait_for
from tests.processes.test_story import csrf_of

PATIENCE_S = 60
EXECUTORS = ["one", "two"]
# What a console that is killed is called at PostgreSQL.
KILLED = "agentconsole dying_console"


class KillableWeb:
    """One web process on a socket that outlives it, as under the supervisor: requests wait there while it is away."""

    def __init__(self) -> None:
        self.listening = listen("127.0.0.1", 0)
        self.url = url_of(self.listening)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, when: str = "never", token: str = "", which: int = 0) -> None:
        """Start it, on the same port and the same database; it dies as `dying_console` says."""
        fd = self.listening.fileno()
        command = [sys.executable, "-m", "tests.approvals.dying_console", str(fd), when, token, str(which)]
        variables = variables_of_a_web_process(AAP_RATE="1000000", LOG_LEVEL="ERROR")
        self.process = subprocess.Popen(command, cwd=ROOT, env=variables, pass_fds=[fd])

    def is_dead(self) -> bool:
        """Whether it has killed itself."""
        return self.process is not None and self.process.poll() is not None

    def kill(self) -> None:
        """No farewell."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def end(self) -> None:
        """Leave nothing behind, also at the database: the next to clear or drop it would meet what the killed left open."""
        self.kill()
        self.listening.close()
        if connection.vendor == "postgresql":
            wait_for("its sessions have ended", lambda: not sessions_ended())


def sessions_ended() -> list[tuple[bool]]:
    """What sessions of killed consoles there are at the database, told to end."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s", [KILLED])
        return list(cursor.fetchall())


class Worker:
    """Sends requests, and counts what was answered and what was not."""

    def __init__(self, url: str, **headers: str) -> None:
        self.http = httpx.Client(base_url=url, headers=headers, timeout=PATIENCE_S)
        self.answered = 0
        self.unanswered = 0
        self.dismissed = threading.Event()

    def send(self, method: str, path: str, **more: Any) -> httpx.Response | None:
        """The answer, unless the console died over it."""
        try:
            answer = self.http.request(method, path, **more)
        except httpx.TransportError:
            self.unanswered += 1
            return None
        self.answered += 1
        assert answer.status_code < httpx.codes.INTERNAL_SERVER_ERROR, answer.text
        return answer

    def insist(self, method: str, path: str, **more: Any) -> httpx.Response:
        """The answer, however often the same has to be sent; AssertionError once the test has failed elsewhere."""
        while not self.dismissed.is_set():
            answer = self.send(method, path, **more)
            if answer is not None:
                return answer
        raise AssertionError("dismissed at work")


class AgentAtWork(Worker):
    """Asks for one action after the other, has two executors claim what was approved, and carries out what a claim allows."""

    def __init__(self, url: str, caller: AgentCaller, seed: int) -> None:
        super().__init__(url, **caller.headers)
        self.choose = random.Random(seed)
        self.asked: list[str] = []
        self.effects: list[tuple[str, str]] = []
        self.reported: list[str] = []

    def work(self, enough: threading.Event) -> None:
        """Until it is enough; what was begun is brought to its end."""
        with self.http:
            while not enough.is_set():
                self._one_action()

    def _one_action(self) -> None:
        action = {"tool": "refund", "arguments": {"n": len(self.asked)}}
        made = self._post("", str(uuid7()), {**action, "timeout": "1h"}).json()
        self.asked.append(made["id"])
        while made["status"] == "pending":
            made = self.insist("GET", f"/api/aap/v1/requests/{made['id']}", params={"wait": "10s"}).json()
        for executor in self.choose.sample(EXECUTORS, 2):
            claim = self._post(f"/{made['id']}/consume", f"{made['id']} {executor}", {"action": action})
            if claim.status_code == httpx.codes.OK:
                self.effects.append((made["id"], f"{made['id']} {executor}"))
                self._report(made["id"])

    def _report(self, action_id: str) -> None:
        answer = self._post(f"/{action_id}/outcome", "", {"status": "succeeded", "note": "done"})
        assert answer.status_code == httpx.codes.OK, answer.text
        self.reported.append(action_id)

    def _post(self, path: str, key: str, body: dict[str, Any]) -> httpx.Response:
        named = {"Idempotency-Key": key} if key else {}
        return self.insist("POST", f"/api/aap/v1/requests{path}", json=body, headers=named)


class PersonAtWork(Worker):
    """Decides on whatever waits, over the pages' own forms. Without an answer they look again, as people do."""

    def __init__(self, url: str, signed_in: Client) -> None:
        super().__init__(url)
        self.http.cookies.set("sessionid", signed_in.cookies["sessionid"].value)
        self.acknowledged: dict[str, str] = {}

    def work(self, done: threading.Event) -> None:
        """Until nobody asks any more."""
        with self.http:
            while not done.wait(0.05):
                for action_id in rows_in(self.insist("GET", "/approvals/").text):
                    self._decide(action_id)

    def _decide(self, action_id: str) -> None:
        page = self.insist("GET", f"/approvals/{action_id}/")
        form = shown_in(page.text, "version", "presentation_digest")
        if not form:
            return
        verdict = wanted(action_id)
        sent = {**form, "verdict": verdict, "note": "as I see it", "csrfmiddlewaretoken": csrf_of(page)}
        answer = self.send("POST", f"/approvals/{action_id}/decide", data=sent)
        if answer is not None and answer.status_code == httpx.codes.FOUND:
            self.acknowledged[action_id] = verdict


def wanted(action_id: str) -> str:
    """What everybody here thinks of an action: one in four is rejected."""
    return "deny" if int(action_id[-1], 16) % 4 == 0 else "approve"


def rows_in(page: str) -> list[str]:
    """The ids in the queue, next to expire first."""
    queue = page.partition('id="queue"')[2].partition("</ol>")[0]
    return [part.partition('"')[0] for part in queue.split('data-id="')[1:]]


def shown_in(page: str, *names: str) -> dict[str, str]:
    """The hidden fields of the verdict's form; nothing if the page has none."""
    found = {name: page.partition(f'name="{name}" value="')[2].partition('"')[0] for name in names}
    return found if all(found.values()) else {}
