"""`manage.py serve` that kills itself around a commit: `python -m tests.approvals.dying_console <fd> <when> <token> <which>`.

`after APPROVAL_CLAIMED 3`: once the third claim is committed, before anybody is told; `before`: as it is about to be; `never` lives on.
"""

import itertools
import os
import signal
import sys
import threading
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "agentconsole.settings")

import django

django.setup()

# Only now: these import models.
from django.core.management import execute_from_command_line  # noqa: E402
from django.db.backends.base.base import BaseDatabaseWrapper  # noqa: E402

from approvals.services import audit  # noqa: E402


def die_at(when: str, token: str, which: int) -> None:
    """SIGKILL when the `which`th entry of the token is committed."""
    append, commit = audit.append, BaseDatabaseWrapper.commit
    count, here = itertools.count(1), threading.local()

    def appended(name: str, **more: Any) -> Any:
        if name == token:
            here.is_it = next(count) == which
        return append(name, **more)

    def committed(self: BaseDatabaseWrapper) -> None:
        is_it = getattr(here, "is_it", False)
        if is_it and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        commit(self)
        if is_it:
            os.kill(os.getpid(), signal.SIGKILL)

    audit.append = appended  # type: ignore[assignment]
    BaseDatabaseWrapper.commit = committed  # type: ignore[method-assign]


if __name__ == "__main__":
    fd, when, token, which = sys.argv[1:]
    if when != "never":
        die_at(when, token, int(which))
    execute_from_command_line(["manage.py", "serve", "--fd", fd])
