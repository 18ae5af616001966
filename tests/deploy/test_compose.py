"""compose.yaml: docker compose takes it, it asks for each secret, and each role is there as often as it may be."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.shipped import DEFAULTS, DEPLOY, compose, run_tool, text

SECRETS = {"SECRET_KEY", "METRICS_TOKEN", "POSTGRES_PASSWORD", "REDIS_PASSWORD"}
OWN = {"CONSOLE_HOST", "CONSOLE_IMAGE", "POSTGRES_PASSWORD", "REDIS_PASSWORD"}
CONSOLE = {name: one for name, one in compose()["services"].items() if "build" in one}


def examples() -> dict[str, str]:
    """What env.example sets, also what it leaves commented out."""
    return dict(re.findall(r"^#?([A-Z_]+)=(.*)$", text("env.example"), re.MULTILINE))


def serving(command: str) -> list[str]:
    """The services whose command has this word."""
    return [name for name, one in CONSOLE.items() if command in one["command"]]


def config(folder: Path, example: str) -> str:
    """What docker compose makes of the file, beside a `.env` with that text."""
    shutil.copy(DEPLOY / "compose.yaml", folder)
    (folder / ".env").write_text(example, encoding="utf-8")
    return run_tool("docker-compose", "--file", folder / "compose.yaml", "config", "--format=json")


def test_docker_compose_takes_it_with_the_example_filled_in(tmp_path: Path):
    made = json.loads(config(tmp_path, re.sub(r"=$", "=s3cret", text("env.example"), flags=re.MULTILINE)))
    assert made["services"].keys() == compose()["services"].keys()
    worker = made["services"]["worker"]["environment"]
    assert worker["DATABASE_URL"] == "postgres://agentconsole:s3cret@postgres:5432/agentconsole"
    assert worker.items() >= {"SECRET_KEY": "s3cret", "BEHIND_TLS_PROXY": "on", "CONSOLE_ENV": "prod"}.items()


@pytest.mark.parametrize("secret", sorted(SECRETS - {"METRICS_TOKEN"}))
def test_docker_compose_refuses_it_without_a_secret(tmp_path: Path, secret: str):
    filled = re.sub(r"=$", "=s3cret", text("env.example"), flags=re.MULTILINE)
    with pytest.raises(AssertionError, match=f"{secret}.*see env.example"):
        config(tmp_path, filled.replace(f"{secret}=s3cret", f"{secret}="))


def test_each_variable_that_it_asks_for_is_in_the_example():
    asked = set(re.findall(r"\$\{(\w+)", text("compose.yaml")))
    assert asked - {"CONSOLE_IMAGE"} <= examples().keys()


def test_the_example_sets_what_there_is_and_no_secret():
    assert examples().keys() <= DEFAULTS.keys() | OWN
    assert {name: examples()[name] for name in SECRETS} == dict.fromkeys(SECRETS, "")


def test_postgresql_and_redis_are_reached_by_password_from_inside_alone():
    services = compose()["services"]
    for name in ("postgres", "redis"):
        assert "ports" not in services[name]
        assert services[name]["networks"] == ["data"]
    assert compose()["networks"]["data"] == {"internal": True}
    redis = services["redis"]["command"]
    assert redis[redis.index("--requirepass") + 1].startswith("${REDIS_PASSWORD:?")
    environment = CONSOLE["worker"]["environment"]
    assert ":${REDIS_PASSWORD:?" in environment["REDIS_URL"]
    assert ":${POSTGRES_PASSWORD:?" in environment["DATABASE_URL"]


def test_there_is_one_beat_a_worker_and_as_many_web_processes_as_is_said():
    assert serving("beat") == ["beat"]
    assert serving("worker") == ["worker"]
    assert len(serving("serve")) == int(CONSOLE["web-1"]["environment"]["WEB_PROCESSES"])
    upstreams = compose()["services"]["proxy"]["environment"]["CONSOLE_UPSTREAMS"].split()
    assert upstreams == [f"{name}:8000" for name in serving("serve")]


def test_nothing_of_the_console_starts_before_the_migrations_have_ended():
    after = {name: one["depends_on"].get("migrate", {}).get("condition") for name, one in CONSOLE.items()}
    assert after.pop("migrate") is None
    assert set(after.values()) == {"service_completed_successfully"}


@pytest.mark.parametrize("name", CONSOLE)
def test_no_process_of_the_console_may_more_than_it_needs(name: str):
    one: dict[str, Any] = CONSOLE[name]
    assert one["read_only"]
    assert one["cap_drop"] == ["ALL"]
    assert one["security_opt"] == ["no-new-privileges:true"]
    assert not {"ports", "user", "privileged"} & one.keys()
