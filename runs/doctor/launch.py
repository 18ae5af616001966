"""Starting the doctor: a process of its own, because a thread can't be ended at its time limit."""

import json
import os
import subprocess
import sys
from pathlib import Path

from django.conf import settings

from agentconsole.env import BASE_DIR
from agentconsole.protocol.context import RequestContext

DEADLINE_S = 40
HARD_LIMIT_S = 60
STOP_GRACE_S = 10
CONTEXT_VARIABLE = "DOCTOR_CONTEXT"

_running: set[subprocess.Popen[bytes]] = set()


def launch(context: RequestContext, *, token: str, limit_s: float = HARD_LIMIT_S) -> int:
    """Run the doctor within `context` and wait; its exit code, negative if it was stopped at the limit.

    The credential goes by the environment, which only this user's processes can read, not by the command line.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "runs.doctor"],
        cwd=BASE_DIR,
        env=_inherited() | _variables(context, token),
        stdin=subprocess.DEVNULL,
    )
    _running.add(process)
    try:
        return process.wait(limit_s)
    except subprocess.TimeoutExpired:
        return _stop(process)
    finally:
        _running.discard(process)
        if process.poll() is None:
            _stop(process)


def stop_running() -> None:
    """Ask what was launched from this process to stop. Who waits in `launch` sees to the rest."""
    for process in list(_running):
        process.terminate()


def _inherited() -> dict[str, str]:
    """The console's variables, without where its own traces and errors go: those of an agent are not the console's."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "SENTRY_"))}


def _variables(context: RequestContext, token: str) -> dict[str, str]:
    variables = {
        "CONSOLE_URL": settings.CONSOLE_URL,
        "CONSOLE_TOKEN": token,
        "CONSOLE_JOURNAL": str(settings.VAR_DIR / "doctor_journal"),
        "CONSOLE_VAR": str(settings.VAR_DIR),
        CONTEXT_VARIABLE: json.dumps(context.to_message()),
    }
    if settings.LOG_FILE:
        # A file of its own: two processes that rotate one file lose lines.
        variables["LOG_FILE"] = str(Path(settings.LOG_FILE).with_name("doctor.log"))
    return variables


def _stop(process: subprocess.Popen[bytes]) -> int:
    """SIGTERM, on which the SDK ends the run and delivers what it has; then SIGKILL."""
    process.terminate()
    try:
        return process.wait(STOP_GRACE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()
