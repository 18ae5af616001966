"""The short form of the fault matrix, as `make faults` runs it: a handful of its cells, in each shape."""

import os
import subprocess
import sys

import pytest

from tests.processes.running import ROOT

pytestmark = pytest.mark.processes


def try_short(shape: str) -> None:
    command = [sys.executable, "-m", "tests.faults", "--short", "--shape", shape]
    done = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    left_out = [line.removeprefix("LEFT OUT: ") for line in done.stdout.splitlines() if line.startswith("LEFT OUT")]
    if left_out:
        pytest.skip("; ".join(left_out))


@pytest.mark.sqlite
def test_one_machine_says_what_is_broken_heals_and_loses_nothing():
    try_short("embedded")


@pytest.mark.postgres
@pytest.mark.redis
def test_a_deployment_says_what_is_broken_heals_and_loses_nothing():
    try_short("distributed")
