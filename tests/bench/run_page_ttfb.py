"""Time to first byte of a run's page with 10,000 spans, over that with 100: at most 1.5.

python -m tests.bench.run_page_ttfb [rounds]
"""

import http.client
import os
import statistics
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import httpx

from tests.bench.console import ROOT, Console, console
from tests.run_page.story import batches, wide_run

LIMIT = 1.5
PERSON, PASSWORD = "bench", "correct horse battery staple"


def main(rounds: int) -> None:
    """Measure, print the ratio, and fail if it is above the limit."""
    with console() as running:
        cookie = sign_in(running)
        few, many = (send(running, spans) for spans in (100, 10_000))
        ratio = compare(running, cookie, few, many, rounds)
        if ratio > LIMIT:
            raise SystemExit(f"a run page with 10,000 spans takes {ratio:.2f} times one with 100; the limit is {LIMIT}")


def sign_in(running: Console) -> str:
    """The session cookie of a person who may look."""
    environment = os.environ | {"CONSOLE_VAR": str(running.var), "DJANGO_SUPERUSER_PASSWORD": PASSWORD}
    command = ["createsuperuser", "--noinput", "--username", PERSON, "--email", "bench@example.org"]
    subprocess.run([sys.executable, "manage.py", *command], cwd=ROOT, env=environment, check=True, capture_output=True)
    with httpx.Client(base_url=running.url) as browser:
        browser.get("/login/")
        form = {"username": PERSON, "password": PASSWORD, "csrfmiddlewaretoken": browser.cookies["csrftoken"]}
        browser.post("/login/", data=form, headers={"Referer": running.url})
        return f"sessionid={browser.cookies['sessionid']}"


def send(running: Console, spans: int) -> str:
    """The address of a new run of so many spans."""
    story = wide_run(datetime.now(UTC) - timedelta(hours=1), spans)
    for batch in batches(story.until(1e9)):
        answer = httpx.post(
            f"{running.url}/api/v1/ingest",
            json={"items": batch},
            headers={"Authorization": f"Bearer {running.token}"},
            timeout=60,
        )
        assert answer.json()["rejected"] == [], answer.text
    return f"/runs/{story.run_id}/"


def compare(running: Console, cookie: str, few: str, many: str, rounds: int) -> float:
    """The ratio of the medians, measured in turns so that both see the same machine."""
    times: dict[str, list[float]] = {few: [], many: []}
    for _ in range(rounds):
        for path, taken in times.items():
            taken.append(first_byte(running, cookie, path))
    small, large = (statistics.median(times[path][rounds // 10 :]) * 1000 for path in (few, many))
    print(f"run page: 100 spans {small:.1f} ms, 10,000 spans {large:.1f} ms, ratio {large / small:.2f}")
    return large / small


def first_byte(running: Console, cookie: str, path: str) -> float:
    """Seconds from the request to the first byte of its answer."""
    connection = http.client.HTTPConnection(running.url.removeprefix("http://"), timeout=30)
    connection.connect()
    started = time.perf_counter()
    connection.request("GET", path, headers={"Cookie": cookie})
    answer = connection.getresponse()
    took = time.perf_counter() - started
    body = answer.read()
    connection.close()
    assert answer.status == httpx.codes.OK, (answer.status, body[:200])
    return took


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
