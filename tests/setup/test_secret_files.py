"""Each secret of the console comes from its variable or from the file that `<name>_FILE` names, and is known to redaction."""

from pathlib import Path

import pytest

from agentconsole.env import VARIABLES, ConsoleEnv
from agentconsole.protocol.redaction import registered, scrub_text
from tests.architecture.source import ROOT

SECRET = "kept-in-a-file-0123456789"


@pytest.fixture(autouse=True)
def _nothing_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registered, "_known", ({}, {}))


def test_a_secret_is_read_from_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "key").write_text(f"{SECRET}\n")
    monkeypatch.setenv("METRICS_TOKEN_FILE", str(tmp_path / "key"))
    env = ConsoleEnv()
    assert env.secret("METRICS_TOKEN") == SECRET
    assert env.problems == []
    assert SECRET not in scrub_text(f"began with {SECRET}")[0]


def test_a_urls_password_is_known_to_redaction_too(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DATABASE_URL", "postgres://console:pass%20phrase%2Flong@db/console")
    ConsoleEnv().secret("DATABASE_URL")
    assert scrub_text("FATAL: pass phrase/long")[0] == "FATAL: [REDACTED:registered_secret]"


@pytest.mark.parametrize(
    ("content", "says"),
    [(None, "can't be read"), (b"", "empty"), (b"\xff\xfe", "no text"), (b"x" * 70_000, "too long")],
)
def test_a_file_that_holds_no_secret_is_a_problem_that_names_the_variable(
    content: bytes | None, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    file = tmp_path / "key"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setenv("METRICS_TOKEN_FILE", str(file))
    env = ConsoleEnv()
    assert env.secret("METRICS_TOKEN", default="") == ""
    assert says in env.problems[0]
    assert "METRICS_TOKEN_FILE" in env.problems[0]


def test_both_at_once_is_a_problem_that_names_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("METRICS_TOKEN", SECRET)
    monkeypatch.setenv("METRICS_TOKEN_FILE", str(tmp_path))
    env = ConsoleEnv()
    env.secret("METRICS_TOKEN")
    assert env.problems == ["METRICS_TOKEN and METRICS_TOKEN_FILE are both set. Keep one of them."]


def test_the_readme_says_which_variables_have_a_file():
    secrets = ", ".join(f"`{one.name}`" for one in VARIABLES if one.is_secret)
    assert f"Secrets ({secrets}) may" in " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
