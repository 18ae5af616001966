"""What the console is made of: exact versions, whole migrations, the licence."""

import re

import pytest
from django.core.management import call_command

from tests.architecture.source import ROOT

PIN = re.compile(r"[A-Za-z0-9_.-]+(\[[a-z0-9,-]+\])?==[0-9][0-9A-Za-z.]*")


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-telemetry.txt", "requirements-dev.txt"])
def test_each_requirement_is_pinned_exactly(name: str):
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    wanted = [line.split("  #")[0] for line in lines if line and not line.startswith(("#", "-r "))]
    assert wanted
    assert [line for line in wanted if not PIN.fullmatch(line)] == []


@pytest.mark.django_db
def test_no_migration_is_missing():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_the_licence_is_there_in_full():
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text
