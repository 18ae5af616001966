"""The Dockerfile: what it takes is enough and no more, and no role needs root, a shell in between or a writable image."""

import json
import os
import subprocess
import sys
from pathlib import Path, PurePosixPath

import pytest

from tests.architecture.source import ROOT
from tests.deploy.shipped import DEPLOY, build_image_in, copied, instructions, is_ignored, run_tool

SECRETS = ("var/secret_key", "var/console.sqlite3", "deploy/.env", ".git/config", ".venv/bin/python", "runs/a.pyc")

# All that web, worker and beat import, a page and a style sheet.
LOOK = """
import agentconsole.asgi, agentconsole.celery, agentconsole.server
from django.contrib.staticfiles import finders
from django.template.loader import get_template
agentconsole.celery.app.loader.import_default_modules()
print(get_template("registration/login.html").origin, finders.find("css/tokens.css"))
"""


def test_hadolint_finds_nothing():
    assert run_tool("hadolint", DEPLOY / "Dockerfile") == ""


def test_each_path_that_it_copies_is_there_and_reaches_the_build():
    assert copied()
    assert [path for path in copied() if not (ROOT / path).exists() or is_ignored(PurePosixPath(path))] == []


@pytest.mark.parametrize("path", SECRETS)
def test_nothing_else_of_a_checkout_reaches_the_build(path: str):
    assert is_ignored(PurePosixPath(path))


def test_it_runs_as_a_user_by_number_and_without_a_shell():
    last = dict(instructions())
    assert all(part.isdecimal() and int(part) > 0 for part in last["USER"].split(":"))
    assert json.loads(last["CMD"])[:3] == ["python", "manage.py", "serve"]
    assert "ENTRYPOINT" not in last


def test_what_it_takes_is_enough_and_is_not_written_to(tmp_path: Path):
    image = tmp_path / "image"
    build_image_in(image)
    before = sorted(image.rglob("*"))
    own = {"CONSOLE_ENV": "prod", "CONSOLE_VAR": str(tmp_path / "var"), "SECRET_KEY": "k" * 64}
    own |= {"ALLOWED_HOSTS": "console.example.org", "CONSOLE_URL": "https://console.example.org"}
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "--command", LOOK],
        cwd=image,
        env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", **own},
        capture_output=True,
        text=True,
        check=False,
    )
    found = done.stdout.splitlines()[-1:]
    assert found == [f"{image}/templates/registration/login.html {image}/static/css/tokens.css"], done.stderr
    assert sorted(image.rglob("*")) == before
