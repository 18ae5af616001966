"""`python -m runs.doctor`: one run of the doctor, within the request of whoever launched it."""

import json
import os
import sys

import django

from agentconsole.lifecycle import end_with
from agentconsole.protocol.context import RequestContext, Transport, bound_context
from agentconsole.sdk import Console
from runs.doctor.launch import CONTEXT_VARIABLE

# Delivering the last items: at leisure after a run, in a hurry when stopped, for then the console often stops too.
DELIVERY_S = 10
STOPPED_DELIVERY_S = 1


def main() -> int:
    """Examine the console; the exit code."""
    end_with(os.getppid())
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "agentconsole.settings")
    django.setup()
    from runs.doctor.agent import examine

    carried = os.environ.pop(CONTEXT_VARIABLE, "")
    context = RequestContext.from_message(json.loads(carried)) if carried else RequestContext.mint(Transport.CLI)
    with bound_context(context):
        console = Console.from_env()
        console.exit_deadline_s = STOPPED_DELIVERY_S
        # The programs that the doctor runs have no use for its credential.
        os.environ.pop("CONSOLE_TOKEN", None)
        is_whole = examine(console)
        console.close(DELIVERY_S)
        return 0 if is_whole else 1


if __name__ == "__main__":
    sys.exit(main())
