"""PostgreSQL and Redis go away and come back under running processes: the console says so, and heals without a restart."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import httpx
import psycopg
import pytest
from redis import Redis

from agentconsole.management.listening import listen, url_of
from tests.certificates import certificate
from tests.distributed.deployment import BEAT, WORKER, Part, parts
from tests.ingest.items import event, new_run, run_started
from tests.processes.running import RunningConsole, wait_for
from tests.servers import OwnPostgres, OwnRedis

pytestmark = [pytest.mark.processes, pytest.mark.postgres, pytest.mark.redis]
PASSWORD = "p@ss:w/rd#;%"
POOL = 8
# Twice a component's lease: what a loaded machine takes.
WITHIN_S = 60


class Deployment:
    """A web process, a worker and a beat, on servers of their own that speak TLS and ask for a password."""

    def __init__(self, url: str, postgres: OwnPostgres, redis: OwnRedis, redis_url: str, token: str) -> None:
        self.url, self.postgres, self.redis, self.redis_url, self.token = url, postgres, redis, redis_url, token
        self.processes: list[Part] = []
        self.run = new_run()
        self.acknowledged = 0
        self.seconds: dict[str, float] = {}

    def components(self) -> dict[str, Any]:
        """What ready says of each."""
        answer = httpx.get(f"{self.url}/health/ready", timeout=10)
        assert PASSWORD not in answer.text
        return dict(answer.json()["components"])

    def failing(self) -> set[str]:
        """The critical components that are not proven."""
        return {name for name, part in self.components().items() if part["critical"] and part["status"] != "ok"}

    def ingest(self) -> httpx.Response:
        """One more event, and how it was answered."""
        headers = {"Authorization": f"Bearer {self.token}"}
        body = {"items": [event(self.run, fields={"n": self.acknowledged})]}
        answer = httpx.post(f"{self.url}/api/v1/ingest", json=body, headers=headers, timeout=30)
        self.acknowledged += answer.is_success
        return answer

    def stored(self) -> int:
        """The run's events, as the database has them."""
        (row,) = self.postgres.execute("SELECT count(*) FROM runs_traceevent")
        return int(str(row[0]))

    def becomes(self, what: str, look: Callable[[], object]) -> None:
        """Wait until it is so, and note how long that took."""
        begun = time.monotonic()
        wait_for(what, look, within_s=WITHIN_S)
        self.seconds[what] = round(time.monotonic() - begun, 1)

    def is_up(self) -> bool:
        """Whether it has begun to answer, and everything is proven."""
        try:
            return not self.failing()
        except httpx.TransportError:
            return False

    def heals(self, what: str) -> None:
        """Wait until everything is proven, by what was done from now on, and by the very processes that were started."""
        now = datetime.now(UTC)

        def is_proven() -> bool:
            parts = self.components().values()
            proven = [datetime.fromisoformat(part["checked_at"]) > now for part in parts if part["critical"]]
            return all(proven) and not self.failing()

        self.becomes(f"{what}, all well again", is_proven)
        assert [part.process.poll() for part in self.processes] == [None, None, None]
        assert httpx.get(f"{self.url}/health/live", timeout=10).status_code == httpx.codes.OK


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    folder = tmp_path_factory.mktemp("deployed")
    files = certificate(folder, "127.0.0.1")
    user = ("--user", "console", "on", f">{PASSWORD}", "~*", "&*", "+@all", "--user", "default", "off")
    with OwnPostgres() as postgres, OwnRedis(*user, tls=files) as redis, listen("127.0.0.1", 0) as listening:
        variables = {
            "DATABASE_URL": postgres.url,
            "DATABASE_POOL_MAX": str(POOL),
            "REDIS_URL": f"rediss://console:{quote(PASSWORD, safe='')}@127.0.0.1:{redis.port}/2?ssl_ca_certs={files[0]}",
            "CELERY_BROKER_URL": "",
        }
        setting = RunningConsole(folder, **variables)
        setting.env = {name: value for name, value in setting.env.items() if value}
        setting.manage("migrate", "-v", "0")
        setting.manage("setup_console")
        token = setting.manage("issue_credential", "dev", "triage", "one")
        with parts(folder, setting.env) as start:
            web = start("web", ["manage.py", "serve", "--fd", str(listening.fileno())], listening.fileno())
            found = Deployment(url_of(listening), postgres, redis, variables["REDIS_URL"], token)
            found.processes = [web, start("worker", WORKER), start("beat", BEAT)]
            wait_for("it is up", found.is_up, within_s=2 * WITHIN_S)
            headers = {"Authorization": f"Bearer {token}"}
            body = {"items": [run_started(found.run)]}
            httpx.post(f"{found.url}/api/v1/ingest", json=body, headers=headers, timeout=30).raise_for_status()
            yield found
        print("\n" + "\n".join(f"{took:6.1f} s  {what}" for what, took in found.seconds.items()))


def test_terminated_backends_are_noticed_and_replaced_and_no_request_breaks_on_one(deployed: Deployment):
    # The pool finds its dead one by one, a little later each: who waits too long for that is told to come back.
    for _ in range(5):
        deployed.postgres.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE application_name = 'agentconsole web' AND state = 'idle'"
        )
        deployed.becomes("sessions ended, a batch taken", lambda: is_taken(deployed.ingest()))
    assert deployed.stored() == deployed.acknowledged


def is_taken(answer: httpx.Response) -> bool:
    """Whether a batch was acknowledged; if not, its agent knows when to send it again."""
    if answer.is_success:
        return True
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unavailable"), answer.text
    assert int(answer.headers["Retry-After"]) > 0
    return False


def test_each_process_is_known_to_the_database_by_what_it_does(deployed: Deployment):
    def names() -> set[object]:
        rows = deployed.postgres.execute("SELECT DISTINCT application_name FROM pg_stat_activity")
        return {row[0] for row in rows}

    wait_for("all are connected", lambda: {f"agentconsole {role}" for role in ("web", "worker", "beat")} <= names())


@pytest.mark.parametrize("how", ["kill", "pause"])
def test_postgres_goes_away_and_comes_back(deployed: Deployment, how: str):
    getattr(deployed.postgres, how)()
    deployed.becomes(f"PostgreSQL: {how}, told by ready", lambda: "database" in deployed.failing())
    if how == "kill":
        answer = deployed.ingest()
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unavailable")
        assert int(answer.headers["Retry-After"]) > 0
        deployed.postgres.start()
    else:
        deployed.postgres.resume()
    deployed.heals(f"PostgreSQL: {how}")
    assert deployed.ingest().status_code == httpx.codes.OK
    assert deployed.stored() == deployed.acknowledged


@pytest.mark.parametrize("how", ["kill", "pause"])
def test_redis_goes_away_and_comes_back(deployed: Deployment, how: str):
    getattr(deployed.redis, how)()
    deployed.becomes(f"Redis: {how}, told by ready", lambda: {"channel_layer", "broker"} <= deployed.failing())
    assert deployed.ingest().status_code == httpx.codes.OK
    deployed.redis.start() if how == "kill" else deployed.redis.resume()
    deployed.heals(f"Redis: {how}")
    assert deployed.stored() == deployed.acknowledged


def test_a_password_that_is_changed_is_told_in_words_and_repaired_without_a_restart(deployed: Deployment):
    def set_password(now: str, new: str) -> None:
        address = deployed.redis_url.replace(quote(PASSWORD, safe=""), quote(now, safe=""))
        with Redis.from_url(address) as admin:
            admin.execute_command("ACL", "SETUSER", "console", "resetpass", f">{new}")
            admin.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            admin.execute_command("CLIENT", "KILL", "TYPE", "pubsub")

    set_password(PASSWORD, "another")
    deployed.becomes("Redis: other password, told by ready", lambda: "broker" in deployed.failing())
    assert "invalid username-password pair" in httpx.get(f"{deployed.url}/health/ready", timeout=10).text
    set_password("another", PASSWORD)
    deployed.heals("Redis: other password")


def test_when_the_pool_is_used_up_requests_are_told_to_come_back(deployed: Deployment):
    with psycopg.connect(deployed.postgres.url) as holder:
        holder.execute("LOCK TABLE runs_run IN ACCESS EXCLUSIVE MODE")
        begun = time.monotonic()
        with ThreadPoolExecutor(2 * POOL) as agents:
            answers = list(agents.map(lambda _: deployed.ingest(), range(2 * POOL)))
        took_s = time.monotonic() - begun
    assert {answer.status_code for answer in answers} == {503}
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in answers)
    assert took_s < 25
    deployed.heals("pool used up")
    assert deployed.ingest().status_code == httpx.codes.OK
