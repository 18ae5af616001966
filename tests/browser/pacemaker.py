"""Run in the server's environment. `beat`: leaves the signs of life of a worker and a schedule, for a web process that has none.
`forget NAME`: takes one away. `history`: a day in which the console was not ready for four minutes, which it prints."""

import os
import sys
import time

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "agentconsole.settings")
django.setup()

from datetime import timedelta  # noqa: E402  models need the set-up above

from django.utils import timezone  # noqa: E402

from agentconsole.health.components import COMPONENTS  # noqa: E402
from agentconsole.health.minutes import WHOLE, minute_of  # noqa: E402
from agentconsole.models import ComponentBeat, HealthMinute  # noqa: E402
from agentconsole.services import record_beat  # noqa: E402

EVERY_S = 3
BEATS = ("worker", "beat", "outbox")


def beat() -> None:
    """Until the tests end."""
    tests = os.getppid()
    while os.getppid() == tests:
        for name in BEATS:
            record_beat(name)
        time.sleep(EVERY_S)


def make_history() -> None:
    """Minutes as the recorder writes them, but for the last hour, which nobody recorded. The bad ones were half a day ago."""
    now = minute_of(timezone.now())
    bad_since, bad_until = now - timedelta(hours=12), now - timedelta(hours=12) + timedelta(minutes=4)
    names = [component.name for component in COMPONENTS] + [WHOLE]
    rows = []
    for number in range(60, 1440):
        at = now - timedelta(minutes=number)
        wrong = {"worker": "stale", WHOLE: "failing"} if bad_since <= at < bad_until else {}
        rows.append(HealthMinute(minute=at, samples=60, states=dict.fromkeys(names, "ok") | wrong, faults={}))
    HealthMinute.objects.bulk_create(rows, ignore_conflicts=True)
    print(f"{bad_since:%H:%M}–{bad_until:%H:%M}")


match sys.argv[1:]:
    case ["beat"]:
        beat()
    case ["forget", name]:
        ComponentBeat.objects.filter(component=name).delete()
    case ["history"]:
        make_history()
