#!/usr/bin/env python
"""Django's command line for the console."""

import os
import sys


def main() -> None:
    """Run a management command, as a request of its own."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "agentconsole.settings")
    from django.core.management import execute_from_command_line

    from agentconsole.protocol.context import RequestContext, Transport, bound_context

    command = sys.argv[1] if len(sys.argv) > 1 else "help"
    with bound_context(RequestContext.mint(Transport.CLI, actor=f"command:{command}")):
        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
