"""Who works on a console while its processes are replaced: each does what its kind does anyway when a request fails, no more."""

import json
import random
import re
import threading
import time
from collections import Counter
from pathlib import Path
from ssl import SSLContext
from typing import Any

import httpx
from agentapprovalprotocol import Client
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from agentconsole.protocol.ids import uuid7
from agentconsole.sdk import Console
from tests.ingest.items import event, new_run, run_started

BATCH = 20
TRIES = 5
BETWEEN_TRIES_S = 0.5
MAY_BE_REPEATED = {502, 503, 504}
LEAVES_S = 60
# A browser comes back after 0.3 to 1 of this (static/js/live.js), to spread the crowd; and this is how long it waits for a frame here.
RESTART_SPREAD_S = 2.0
LOOK_EVERY_S = 0.5


class Worker(threading.Thread):
    """Works until `enough` is set. What goes wrong in it is in `broken`; `done` counts what was brought to its end."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.enough = threading.Event()
        self.broken: list[BaseException] = []
        self.hidden: Counter[str] = Counter()
        self.done = 0

    def run(self) -> None:
        """Work, and tell what broke."""
        try:
            self.work()
        except BaseException as error:  # noqa: BLE001  the test's own thread raises it
            self.broken.append(error)

    def work(self) -> None:
        """Until it is enough."""
        raise NotImplementedError

    def leave(self) -> None:
        """Finish what is under way, and raise what broke."""
        self.enough.set()
        self.join(LEAVES_S)
        assert not self.is_alive(), f"{type(self).__name__} hangs"
        if self.broken:
            raise self.broken[0]

    def insist(self, http: httpx.Client, method: str, url: str, **more: Any) -> httpx.Response:
        """A request, tried again where it met nobody: what is hidden that way is counted. AssertionError if it never succeeds."""
        for _ in range(TRIES):
            try:
                answer = http.request(method, url, **more)
            except httpx.TransportError as error:
                self.hidden[type(error).__name__] += 1
            else:
                if answer.status_code not in MAY_BE_REPEATED:
                    return answer
                self.hidden[str(answer.status_code)] += 1
            time.sleep(BETWEEN_TRIES_S)
        raise AssertionError(f"{method} {url}: failed {TRIES} times, {dict(self.hidden)}")


class Agent(Worker):
    """Emits numbered events through the SDK, which knows nothing of restarts."""

    def __init__(self, url: str, token: str, journal: Path) -> None:
        super().__init__()
        self.console = Console(url, token, journal_dir=journal)
        self.run_id = ""

    def work(self) -> None:
        """Emit, then deliver what is left."""
        with self.console.run(query="count") as run:
            self.run_id = str(run.run_id)
            while not self.enough.wait(0.01):
                run.event("ROUTER_DECISION", n=self.done)
                self.done += 1
        self.console.close(LEAVES_S)


class Sender(Worker):
    """Posts numbered events without an SDK; a batch that failed is sent again, as it was."""

    def __init__(self, http: httpx.Client) -> None:
        super().__init__()
        self.http = http
        self.run_id = new_run()
        self._deliver([run_started(self.run_id)])

    def work(self) -> None:
        """Post, one batch after the other."""
        while not self.enough.wait(0.02):
            self._deliver([event(self.run_id, fields={"n": self.done + place}) for place in range(BATCH)])
            self.done += BATCH
        self.http.close()

    def _deliver(self, items: list[dict[str, Any]]) -> None:
        answer = self.insist(self.http, "POST", "/api/v1/ingest", json={"items": items})
        assert (answer.status_code, answer.json()["rejected"]) == (200, []), answer.text


class Asker(Worker):
    """Asks, waits in long polls, claims, reports: by the protocol's own client, which retries by itself."""

    def __init__(self, url: str, token: str) -> None:
        super().__init__()
        self.client = Client(f"{url}/api/aap", token, retry_budget=LEAVES_S)
        self.asked: list[str] = []

    def work(self) -> None:
        """One question after the other; the last one is followed to its end."""
        while not self.enough.is_set():
            key = str(uuid7())
            request = self.client.create({"tool": "restart", "arguments": {"n": self.done}, "timeout": "1h"}, key)
            self.asked.append(str(request.id))
            while request.status == "pending":
                request = self.client.get(request.id, wait=20)
            assert request.status == "approved", request.status
            self.client.consume(request.id, key)
            self.client.report_outcome(request.id, "succeeded")
            self.done += 1
        self.client.close()


class Person(Worker):
    """Approves whatever waits, in a browser: a page that does not come is loaded again, a verdict once more given."""

    def __init__(self, browser: httpx.Client, askers: list[Asker]) -> None:
        super().__init__()
        self.browser = browser
        self.askers = askers
        self.decided: set[str] = set()

    def work(self) -> None:
        """Decide on each question that an asker has put, until they have ended."""
        while not self.enough.wait(0.1):
            for action_id in [one for asker in self.askers for one in list(asker.asked) if one not in self.decided]:
                self._approve(action_id)
                self.decided.add(action_id)
                self.done += 1

    def _approve(self, action_id: str) -> None:
        page = self.insist(self.browser, "GET", f"/approvals/{action_id}/").text
        names = ("version", "presentation_digest", "csrfmiddlewaretoken")
        form = {name: _hidden_field(page, name) for name in names}
        sent = {"data": {**form, "verdict": "approve"}, "headers": {"Referer": str(self.browser.base_url)}}
        answer = self.insist(self.browser, "POST", f"/approvals/{action_id}/decide", **sent)
        # 409: the first try was taken, and its answer lost.
        assert answer.status_code in {302, 409}, answer.text


def _hidden_field(page: str, name: str) -> str:
    found = re.search(rf'name="{name}"\s+value="([^"]+)"', page)
    assert found is not None, (name, page[:2000])
    return found[1]


class Watcher(Worker):
    """An open page of a run: it acknowledges, and comes back with its cursor when it is sent away."""

    def __init__(self, url: str, cookie: str, run_id: str, trust: SSLContext) -> None:
        super().__init__()
        self.url = url
        self.cookie = cookie
        self.topic = f"run:{run_id}"
        self.trust = trust
        self.after = 0
        self.seen: list[int] = []
        self.closed: list[int] = []

    def work(self) -> None:
        """Watch, whatever becomes of the socket."""
        while not self.enough.is_set():
            try:
                self._watch()
            except ConnectionClosed:
                time.sleep(RESTART_SPREAD_S * random.uniform(0.3, 1))
            except (InvalidStatus, OSError, TimeoutError) as error:
                self.hidden[type(error).__name__] += 1
                time.sleep(BETWEEN_TRIES_S)

    def _watch(self) -> None:
        wire = connect(
            self.url.replace("https", "wss") + "/ws/live",
            ssl=self.trust,
            origin=Origin(self.url),
            additional_headers={"Cookie": self.cookie},
        )
        with wire:
            wire.send(json.dumps({"subscribe": self.topic, "after": self.after}))
            received = 0
            try:
                while not self.enough.is_set():
                    try:
                        frame = json.loads(wire.recv(timeout=LOOK_EVERY_S))
                    except TimeoutError:
                        continue
                    received += 1
                    self._take(frame)
                    wire.send(json.dumps({"ack": received}))
            except ConnectionClosed as closed:
                self.closed.append(closed.rcvd.code if closed.rcvd else 1006)
                raise

    def _take(self, frame: dict[str, Any]) -> None:
        assert "error" not in frame, frame
        if "seq" in frame:
            assert frame["after"] == self.after, (frame["after"], self.after)
            self.after = frame["seq"]
            self.seen += [one["fields"]["n"] for one in frame["events"] if "n" in one["fields"]]
            self.done = len(self.seen)
