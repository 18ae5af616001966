"""The systemd units: systemd itself takes them, with what they share, and finds little that they could do besides their work."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.shipped import DEPLOY, text

UNITS = ("agentconsole-web@8000", "agentconsole-worker", "agentconsole-beat", "agentconsole-migrate")
# Of 100. systemd gives a unit without hardening 96.
EXPOSURE_MOST = 20


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units, with programs that this machine has."""
    folder = tmp_path / "units"
    shutil.copytree(DEPLOY / "systemd", folder)
    for unit in folder.glob("*.service"):
        lines = unit.read_text(encoding="utf-8").replace(
            "/opt/agentconsole/.venv/bin", str(Path(sys.executable).parent)
        )
        unit.write_text(lines, encoding="utf-8")
    shutil.copy(folder / "agentconsole-web@.service", folder / "agentconsole-web@8000.service")
    return folder


def analyze(folder: Path, *arguments: str) -> str:
    """What systemd-analyze prints. AssertionError if it finds fault."""
    done = subprocess.run(
        ["systemd-analyze", *arguments],
        env=os.environ | {"SYSTEMD_UNIT_PATH": f"{folder}:"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr + done.stdout
    return done.stdout


@pytest.mark.systemd
@pytest.mark.parametrize("unit", [*(f"{name}.service" for name in UNITS), "agentconsole.target"])
def test_systemd_takes(units: Path, unit: str):
    analyze(units, "verify", str(units / unit))


@pytest.mark.systemd
@pytest.mark.parametrize("name", UNITS)
def test_what_the_units_share_locks_each_of_them_in(units: Path, name: str):
    limit = f"--threshold={EXPOSURE_MOST}"
    analyze(units, "security", "--offline=true", "--no-pager", limit, str(units / f"{name}.service"))


def test_what_they_share_sets_nothing_that_a_unit_sets():
    shared = set(re.findall(r"^(\w+)=", text("systemd/agentconsole-.service.d/common.conf"), re.MULTILINE))
    for unit in (DEPLOY / "systemd").glob("*.service"):
        assert not shared & set(re.findall(r"^(\w+)=", unit.read_text(encoding="utf-8"), re.MULTILINE)), unit.name


def test_a_worker_is_signalled_by_itself_so_that_its_children_finish():
    assert "KillMode=mixed\n" in text("systemd/agentconsole-worker.service")
