"""Run in the server's environment: a run waits for an action (`begin`), or its wait ends with an outcome (`ok`, `rejected`)."""

import os
import sys
from uuid import UUID

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "agentconsole.settings")
django.setup()

from django.db import transaction  # noqa: E402  needs the set-up above
from django.utils import timezone  # noqa: E402

from runs.models import Run  # noqa: E402
from runs.services.waits import begin_wait, end_wait  # noqa: E402

_, what, run_id, action_id, words = sys.argv
with transaction.atomic():
    if what == "begin":
        begin_wait(run=Run.objects.get(id=run_id), action_id=UUID(action_id), name=words, at=timezone.now())
    else:
        end_wait(run_id=UUID(run_id), action_id=UUID(action_id), at=timezone.now(), outcome=what, message=words)
