"""Both web processes are replaced, one after the other, behind nginx and under load: nobody loses anything, and hardly anybody notices."""

import ssl
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from tests.deploy.proxies import Proxy, nginx
from tests.processes.deployment import Deployment, deployment, sign_in
from tests.processes.rolling import Agent, Asker, Person, Sender, Watcher, Worker
from tests.processes.running import wait_for

pytestmark = [pytest.mark.processes, pytest.mark.postgres, pytest.mark.redis, pytest.mark.nginx]
WATCHERS = 3
ASKERS = 2
# What each has to get done between two steps: that there was load.
MORE = 1


@pytest.fixture
def deployed(tmp_path: Path) -> Iterator[Deployment]:
    """Two web processes, a worker and a beat, all ready."""
    with deployment(tmp_path, BEHIND_TLS_PROXY="on", ALLOWED_HOSTS="localhost", AAP_RATE="1000000") as made:
        yield made


@pytest.fixture
def front(deployed: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """The proxy of deploy/nginx in front of them; clients of this process believe its certificate."""
    folder = tmp_path / "nginx"
    folder.mkdir()
    with nginx(folder, [web.port for web in deployed.webs]) as proxy:
        monkeypatch.setenv("SSL_CERT_FILE", str(folder / "certificate.pem"))
        yield proxy


def run_log(browser: httpx.Client, run_id: str) -> list[dict[str, Any]]:
    """All events of a run, as a person reads them."""
    events: list[dict[str, Any]] = []
    after, more = 0, True
    while more:
        page = browser.get(f"/api/v1/runs/{run_id}/log", params={"after": after}).json()
        events, after, more = events + page["events"], page["seq"], page["more"]
    return events


def numbers(events: list[dict[str, Any]]) -> list[int]:
    """The numbers that the events carry, in the order of their rows."""
    return [one["fields"]["n"] for one in events if "n" in one["fields"]]


def outcomes(deployed: Deployment) -> dict[str, int]:
    """How many actions there are of each reported outcome."""
    with psycopg.connect(deployed.setting.env["DATABASE_URL"]) as database:
        rows = database.execute("SELECT outcome, count(*) FROM approvals_action GROUP BY 1").fetchall()
    return dict(rows)


def let_them_work(workers: list[Worker]) -> None:
    """Until each has got something done, or broke."""
    goals = {worker: worker.done + MORE for worker in workers}
    for worker, goal in goals.items():
        what = f"{type(worker).__name__} gets on"
        wait_for(what, partial(lambda one, enough: one.done >= enough or one.broken, worker, goal), within_s=60)
        assert not worker.broken, worker.broken


def test_nobody_loses_anything_when_both_web_processes_are_replaced(
    deployed: Deployment, front: Proxy, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    trust: ssl.SSLContext = front.trust
    browser = sign_in(front.url, deployed.password, verify=trust)
    cookie = f"sessionid={browser.cookies['sessionid']}"
    sender = Sender(front.client(Authorization=f"Bearer {deployed.issue_credential('sender')}"))
    agent = Agent(front.url, deployed.issue_credential("agent"), tmp_path / "journal")
    askers = [Asker(front.url, deployed.issue_credential(f"asker{number}")) for number in range(ASKERS)]
    person = Person(browser, askers)
    watchers = [Watcher(front.url, cookie, sender.run_id, trust) for _ in range(WATCHERS)]
    workers: list[Worker] = [sender, agent, *askers, person, *watchers]
    for worker in workers:
        worker.start()
    let_them_work(workers)

    for web in deployed.webs:
        assert web.stop() == 0
        let_them_work(workers)
        web.start()
        web.wait_until_ready()
        let_them_work(workers)

    for worker in [sender, agent, *askers, person]:
        worker.leave()
    wait_for("the watchers have caught up", lambda: all(len(one.seen) >= sender.done for one in watchers))
    for watcher in watchers:
        watcher.leave()
    with capsys.disabled():
        print(
            f"\nhidden by ordinary retries: {[(type(one).__name__, dict(one.hidden)) for one in workers if one.hidden]}"
        )

    assert numbers(run_log(browser, sender.run_id)) == list(range(sender.done))
    assert sorted(numbers(run_log(browser, agent.run_id))) == list(range(agent.done))
    assert outcomes(deployed) == {"succeeded": sum(asker.done for asker in askers)}
    assert "is whole" in deployed.setting.manage("verify_audit")
    for watcher in watchers:
        assert watcher.seen == list(range(sender.done))
    moved = [code for watcher in watchers for code in watcher.closed]
    assert set(moved) == {1012}
    assert len(moved) >= WATCHERS  # each web process had its share, or one had them all twice
    browser.close()
