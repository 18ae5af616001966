"""One of several processes that race for one action: `python -m tests.approvals.racer <action> <seed> <start at>`.

Prints one JSON object: how often each verb won, and how each loser was told.
"""

import json
import os
import random
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "agentconsole.settings")

import django

django.setup()

# Only now: these import models.
from django.contrib.auth.models import User  # noqa: E402
from django.db import connection  # noqa: E402

from agentconsole.errors import ConsoleError  # noqa: E402
from approvals.models import Action, Verdict  # noqa: E402
from approvals.services.claiming import consume_action  # noqa: E402
from approvals.services.ending import cancel_action, expire_action  # noqa: E402
from tests.approvals.asking import decide  # noqa: E402

TRIES = 50
AT_ONCE = 6
VERBS = ("approve", "deny", "cancel", "expire", "claim")


def attempt(action_id: UUID, verb: str, number: int) -> str:
    """One try; `<verb> won`, or the code of what it was told."""
    try:
        action = Action.objects.select_related("instance__agent").get(id=action_id)
        match verb:
            case "approve" | "deny":
                person = User.objects.get(username=f"racer{number % 10}")
                decide(person, action, Verdict.APPROVE if verb == "approve" else Verdict.DENY)
            case "cancel":
                cancel_action(instance=action.instance, action_id=action_id)
            case "expire":
                return "expired" if expire_action(action_id).status == "expired" else "not due"
            case _:
                consume_action(instance=action.instance, action_id=action_id, idempotency_key=f"{os.getpid()}-{number}")
    except ConsoleError as error:
        return error.code
    else:
        return f"{verb} won"
    finally:
        connection.close()


def race(action_id: UUID, seed: int, start_at: float) -> Counter[str]:
    """TRIES tries by AT_ONCE threads, all from the same moment on."""
    choose = random.Random(seed)
    plan = [(choose.choice(VERBS), number) for number in range(TRIES)]
    time.sleep(max(0.0, start_at - time.time()))
    with ThreadPoolExecutor(AT_ONCE) as threads:
        return Counter(threads.map(lambda step: attempt(action_id, *step), plan))


if __name__ == "__main__":
    print(json.dumps(race(UUID(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))))
