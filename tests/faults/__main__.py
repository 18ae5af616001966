"""`python -m tests.faults [--shape embedded|distributed] [--only WORDS] [--short] [--keep]`: try the matrix, print it; 1 if a cell fails."""

import argparse
import logging
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from agentconsole.management.stopping import cleaning_up_on_sigterm

SHAPES = ("embedded", "distributed")


def main(arguments: Sequence[str]) -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description="Break each part in each way.")
    parser.add_argument("--shape", choices=SHAPES, help="this shape alone")
    parser.add_argument("--only", default="", help="cells whose title (`fault, part`) contains this, or one of `a|b`")
    parser.add_argument("--short", action="store_true", help="the cells that the tests try")
    parser.add_argument("--keep", action="store_true", help="keep what the processes printed")
    asked = parser.parse_args(arguments)
    with cleaning_up_on_sigterm(), ExitStack() as stack:
        folder = tempfile.mkdtemp(prefix="faults-")
        if asked.keep:
            print(f"what the processes print is in {folder}")
        else:
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
        _settle(Path(folder))
        from tests.faults.run import run_matrix

        failed = 0
        for shape in [asked.shape] if asked.shape else SHAPES:
            failed += run_matrix(shape, Path(folder) / shape, only=asked.only, is_short=asked.short)
    return 1 if failed else 0


def _settle(folder: Path) -> None:
    """This process reads the console's code, and works on no console itself."""
    # The servers of the matrix run as other users, who must get at the library that moves clocks.
    folder.chmod(0o755)
    for name in ("DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL"):
        os.environ.pop(name, None)
    os.environ["CONSOLE_VAR"] = str(folder / "own")
    os.environ["DJANGO_SETTINGS_MODULE"] = "agentconsole.settings"
    import django
    import structlog

    django.setup()
    # What the SDK says of a console that is away is what the table tells.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
