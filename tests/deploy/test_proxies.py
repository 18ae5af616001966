"""nginx and Caddy with the example configurations, in front of two web processes: what a browser and an agent get through them."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.sync.client import connect
from websockets.typing import Origin

from agentconsole.protocol.ids import uuid7
from tests.deploy.proxies import (
    Proxy,
    WebProcess,
    caddy,
    caddy_variables,
    free_ports,
    nginx,
    nginx_command,
    write_nginx,
)
from tests.deploy.shipped import DEFAULTS, DEPLOY, build_image_in, run_tool
from tests.live.busy_run import started
from tests.live.test_web_processes import variables_of_a_web_process
from tests.processes.running import is_alive, wait_for
from tests.processes.test_story import csrf_of

METRICS_TOKEN = "reads-metrics"
REQUEST_ID = "req_through-the-proxy"
BOTH = [pytest.param(nginx, marks=pytest.mark.nginx, id="nginx"), pytest.param(caddy, id="caddy")]
reads_database = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def webs(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[WebProcess]]:
    """Two web processes of an image, on the test database."""
    image = tmp_path_factory.mktemp("image")
    build_image_in(image)
    env = variables_of_a_web_process(
        WEB_PROCESSES="2",
        BEHIND_TLS_PROXY="on",
        CONSOLE_ENV="prod",
        ALLOWED_HOSTS="localhost",
        CONSOLE_URL="https://localhost",
        METRICS_TOKEN=METRICS_TOKEN,
    )
    both = [WebProcess(image, port, env) for port in free_ports(2)]
    for web in both:
        web.start()
    yield both
    for web in both:
        web.stop()


@pytest.fixture(scope="module", params=BOTH)
def proxy(request: pytest.FixtureRequest, webs: list[WebProcess], tmp_path_factory: Any) -> Iterator[Proxy]:
    """A proxy in front of them."""
    for web in webs:
        wait_for("a web process serves", web.answers, within_s=60)
    with request.param(tmp_path_factory.mktemp("proxy"), [web.port for web in webs]) as made:
        yield made


@pytest.fixture
def front(proxy: Proxy) -> Iterator[httpx.Client]:
    """A caller outside."""
    with proxy.client() as caller:
        yield caller


class TestThrough:
    """One of them, with both web processes behind it."""

    pytestmark = [pytest.mark.processes, pytest.mark.postgres, pytest.mark.redis]

    def test_a_page_comes_with_its_request_id_and_as_one_of_https(self, front: httpx.Client):
        # Who claims to have come by http is not believed.
        page = front.get("/login/", headers={"X-Request-ID": REQUEST_ID, "X-Forwarded-Proto": "http"})
        assert (page.status_code, page.headers["X-Request-ID"]) == (200, REQUEST_ID)
        assert "max-age=" in page.headers["Strict-Transport-Security"]
        assert "Secure" in page.headers["Set-Cookie"]
        assert front.get("/static/css/tokens.css").status_code == 200

    def test_plain_http_is_sent_to_https(self, proxy: Proxy):
        answer = httpx.get(f"{proxy.plain_url}/login/")
        assert answer.status_code == 308
        assert answer.headers["Location"].startswith("https://localhost")

    def test_a_form_is_taken_as_one_of_this_site(self, front: httpx.Client):
        form = {"csrfmiddlewaretoken": csrf_of(front.get("/login/")), "username": "nobody", "password": "wrong"}
        sent = front.post("/login/", data=form, headers={"Origin": str(front.base_url).rstrip("/")})
        assert (sent.status_code, "csrfmiddlewaretoken" in sent.text) == (200, True)

    @reads_database
    def test_a_live_socket_opens(self, proxy: Proxy, viewer: Any, sign_in: Any):
        cookie = {"Cookie": f"sessionid={sign_in(viewer).cookies['sessionid'].value}"}
        url = proxy.url.replace("https", "wss") + "/ws/live"
        with connect(url, ssl=proxy.trust, origin=Origin(proxy.url), additional_headers=cookie) as wire:
            wire.send(json.dumps({"ping": 7}))
            assert json.loads(wire.recv(timeout=10)) == {"pong": 7}

    @reads_database
    def test_batches_of_megabytes_are_taken_and_larger_ones_than_allowed_refused(self, front: httpx.Client, agent: Any):
        run_id, words = uuid7(), "x" * 15_000
        events = [
            {"type": "event", "id": str(uuid7()), "run": str(run_id), "at": "2026-03-01T02:00:01Z", "token": "LONG"}
            | {"message": words}
            for _ in range(400)
        ]
        sent = front.post("/api/v1/ingest", json={"items": [started(run_id), *events]}, headers=agent.headers)
        assert (sent.status_code, sent.json()["accepted"]) == (200, 401), sent.text
        large = b" " * (int(DEFAULTS["INGEST_MAX_BYTES"]) + 1)
        assert front.post("/api/v1/ingest", content=large, headers=agent.headers).status_code == 413

    def test_the_metrics_are_not_for_those_outside(self, front: httpx.Client, webs: list[WebProcess]):
        headers = {"Authorization": f"Bearer {METRICS_TOKEN}"}
        for path in ("/metrics", "/metrics/", "/%6detrics"):
            assert front.get(path, headers=headers).status_code == 404, path
        inside = [httpx.get(f"{web.url}/metrics", headers=headers) for web in webs if web.answers()]
        assert {answer.status_code for answer in inside} == {200}

    @reads_database
    def test_nobody_notices_that_a_web_process_is_replaced(
        self, front: httpx.Client, webs: list[WebProcess], agent: Any
    ):
        web = webs[1]
        wait_for("both serve", lambda: all(one.answers() for one in webs), within_s=60)
        assert web.process is not None
        web.process.terminate()
        answered: list[int] = []
        while is_alive(web.process.pid) or len(answered) < 40:
            answered.append(front.get("/login/").status_code)
            item = started(uuid7())
            answered.append(front.post("/api/v1/ingest", json={"items": [item]}, headers=agent.headers).status_code)
        assert set(answered) == {200}
        assert web.process.wait() == 0
        web.start()
        wait_for("it serves again", web.answers, within_s=60)


@pytest.mark.nginx
def test_nginx_takes_its_example(tmp_path: Path):
    http, https, *upstreams = free_ports(4)
    config = write_nginx(tmp_path, http, https, upstreams)
    done = subprocess.run(nginx_command(config, "-t"), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "[warn]" not in done.stderr


def test_caddy_takes_its_example_and_would_not_write_it_otherwise():
    example = DEPLOY / "caddy/Caddyfile"
    said = run_tool("caddy", "validate", "--adapter=caddyfile", "--config", example, **caddy_variables([8000, 8001]))
    assert "Valid configuration" in said
    assert "not formatted" not in said
