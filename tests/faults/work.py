"""Those who work with a console while parts of it break: as ordinary clients do, they send again what got no answer."""

import itertools
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from agentconsole.sdk import ApprovalRefused, Console, granted, guarded
from tests.approvals.killable import AgentAtWork, PersonAtWork, Worker, rows_in
from tests.cast import AgentCaller
from tests.ingest.items import event, new_run, run_started
from tests.processes.running import wait_for
from tests.processes.test_story import csrf_of

BATCH = 5
PATIENCE_S = 12
AGAIN_AFTER_S = 0.3
FINISH_WITHIN_S = 90


@dataclass(frozen=True)
class Door:
    """Where a console is, and who may come in."""

    urls: Sequence[str]
    token: str
    session: str


class Persistent(Worker):
    """Goes to the next web process when one does not answer or can't, as behind a load balancer; an error of the server's is
    no answer."""

    def __init__(self, urls: Sequence[str], **headers: str) -> None:
        # Not super(): beside this class stand others that begin differently.
        Worker.__init__(self, urls[0], **headers)
        self.http.timeout = httpx.Timeout(PATIENCE_S, connect=2)
        self._urls = itertools.cycle([*urls[1:], urls[0]])
        self.answered_at = 0.0

    def send(self, method: str, path: str, **more: Any) -> httpx.Response | None:
        """The answer, unless there was none or it was an error of the console's."""
        try:
            answer = self.http.request(method, path, **more)
        except httpx.TransportError:
            answer = None
        if answer is not None and answer.status_code < httpx.codes.INTERNAL_SERVER_ERROR:
            self.answered += 1
            self.answered_at = time.monotonic()
            return answer
        self.unanswered += 1
        self.http.base_url = next(self._urls)
        self.dismissed.wait(AGAIN_AFTER_S)
        return None


class Sender(Persistent):
    """Posts numbered events of a run; counts what was acknowledged."""

    def __init__(self, door: Door) -> None:
        super().__init__(door.urls, Authorization=f"Bearer {door.token}")
        self.run_id = new_run()
        self.acknowledged: list[int] = []

    def work(self, enough: threading.Event) -> None:
        """Until it is enough; what was begun is brought to its end."""
        self._deliver([run_started(self.run_id)])
        while not enough.wait(0.1):
            numbers = range(len(self.acknowledged), len(self.acknowledged) + BATCH)
            self._deliver([event(self.run_id, fields={"n": number}) for number in numbers])
            self.acknowledged.extend(numbers)

    def _deliver(self, items: list[dict[str, Any]]) -> None:
        answer = self.insist("POST", "/api/v1/ingest", json={"items": items})
        assert answer.status_code == httpx.codes.OK, answer.text
        assert answer.json()["rejected"] == [], answer.text


class Recorded:
    """An agent that only knows the SDK: events of a run, and now and then a guarded tool, whose effect is a line in a file."""

    def __init__(self, door: Door, folder: Path, effects: Path) -> None:
        # One web process: the SDK has its own patience.
        self.console = Console(door.urls[0], door.token, journal_dir=folder / "journal")
        self.run_id = ""
        self.emitted = 0
        self.refused: list[str] = []

        @guarded("restart", console=self.console, timeout="1h", wait_s=20)
        def restart(number: int) -> None:
            allowed = granted()
            assert allowed is not None
            note_effect(effects, allowed.request_id)

        self._restart = restart

    def work(self, enough: threading.Event) -> None:
        """Until it is enough, then deliver what is left."""
        with self.console.run(query="count") as run:
            self.run_id = str(run.run_id)
            while not enough.wait(0.05):
                run.event("ROUTER_DECISION", n=self.emitted)
                self.emitted += 1
        self.console.close(FINISH_WITHIN_S)

    def act(self, enough: threading.Event) -> None:
        """Guarded calls, one after the other."""
        for number in itertools.count():
            if enough.wait(0.5):
                return
            try:
                self._restart(number)
            except ApprovalRefused as refusal:
                self.refused.append(type(refusal).__name__)


class Agent(Persistent, AgentAtWork):
    """Asks, has two executors compete for what was approved, and leaves a line in a file for each effect."""

    def __init__(self, door: Door, effects: Path) -> None:
        AgentAtWork.__init__(self, door.urls[0], AgentCaller(None, door.token), seed=4)  # type: ignore[arg-type]
        Persistent.__init__(self, door.urls, Authorization=f"Bearer {door.token}")
        self._effects_file = effects

    def _report(self, action_id: str) -> None:
        note_effect(self._effects_file, action_id)
        super()._report(action_id)


class Person(Persistent, PersonAtWork):
    """Decides on whatever waits."""

    def __init__(self, door: Door) -> None:
        Persistent.__init__(self, door.urls)
        self.http.cookies.set("sessionid", door.session)
        self.acknowledged: dict[str, str] = {}

    def work(self, done: threading.Event) -> None:
        """Until nobody asks any more."""

        with self.http:
            while not done.wait(0.3):
                for action_id in rows_in(self.insist("GET", "/approvals/").text):
                    self._decide(action_id)


def note_effect(file: Path, action_id: str) -> None:
    """The side effect: one line."""
    with file.open("a", encoding="utf-8") as out:
        out.write(action_id + "\n")


def sign_in(url: str, password: str) -> str:
    """The first admin's session."""
    with httpx.Client(base_url=url, timeout=30) as browser:
        door = {"csrfmiddlewaretoken": csrf_of(browser.get("/login/")), "username": "admin", "password": password}
        browser.post("/login/", data=door)
        return browser.cookies["sessionid"]


class Work:
    """Everybody at work on one console."""

    def __init__(self, door: Door, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.effects = folder / "effects"
        self.effects.touch()
        self.sender, self.agent, self.person = Sender(door), Agent(door, self.effects), Person(door)
        self.recorded = Recorded(door, folder, self.effects)
        self._enough, self._done = threading.Event(), threading.Event()
        self.broken: list[BaseException] = []
        agents = [self.sender.work, self.agent.work, self.recorded.work, self.recorded.act]
        self._agents = [threading.Thread(target=self._guard, args=(work, self._enough), daemon=True) for work in agents]
        self._person = threading.Thread(target=self._guard, args=(self.person.work, self._done), daemon=True)

    def _guard(self, work: Callable[[threading.Event], None], ended: threading.Event) -> None:
        try:
            work(ended)
        except Exception as error:  # noqa: BLE001  told in the cell
            self.broken.append(error)

    def begin(self) -> None:
        """Start everybody, and wait until each has got something done."""
        for thread in [*self._agents, self._person]:
            thread.start()
        self.await_flow("the work has begun")

    def await_flow(self, what: str) -> None:
        """Wait until everybody got something done from now on."""
        before = self._done_so_far()
        wait_for(
            what,
            lambda: self.broken or all(now > then for now, then in zip(self._done_so_far(), before, strict=True)),
            within_s=FINISH_WITHIN_S,
        )

    def _done_so_far(self) -> tuple[int, ...]:
        return len(self.sender.acknowledged), len(self.agent.reported), len(self.person.acknowledged)

    def finish(self) -> None:
        """Agents bring to an end what they began, then the person goes."""
        for ended, threads in ((self._enough, self._agents), (self._done, [self._person])):
            ended.set()
            for thread in threads:
                thread.join(FINISH_WITHIN_S)
        stuck = [thread for thread in [*self._agents, self._person] if thread.is_alive()]
        if stuck:
            self.broken.append(AssertionError("somebody could not finish what they had begun"))
            self.dismiss()

    def dismiss(self) -> None:
        """Nobody goes on."""
        self._enough.set()
        self._done.set()
        for worker in (self.sender, self.agent, self.person):
            worker.dismissed.set()


@contextmanager
def working(door: Door, folder: Path) -> Iterator[Work]:
    """Work on a console, under way."""
    work = Work(door, folder)
    try:
        work.begin()
        yield work
    finally:
        work.dismiss()
