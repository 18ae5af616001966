"""What all tests share: a console of their own, its people and agents, and an honest account of what was left out."""

import os
import shutil
import socket
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from agentconsole.protocol import ids
from tests.cast import AgentCaller, make_agent, make_person
from tests.left_out import CHROMIUM, NGINX, LeftOut

REQUIRE_ALL = os.environ.get("REQUIRE_ALL") == "1"


def pytest_configure(config: pytest.Config) -> None:
    """Watch for tests that this machine can't run."""
    config.pluginmanager.register(
        LeftOut(
            present={
                "browser": shutil.which(CHROMIUM) is not None,
                "postgres": django_settings.DATABASES["default"]["ENGINE"].endswith("postgresql"),
                "rabbitmq": _answers(5672),
                "redis": bool(django_settings.REDIS_URL),
                "sqlite": django_settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"),
                "nginx": bool(NGINX),
                "systemd": shutil.which("systemd-analyze") is not None,
            },
            require_all=REQUIRE_ALL,
        )
    )


def _answers(port: int) -> bool:
    with socket.socket() as knock:
        return knock.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="session", autouse=True)
def _own_console(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Nothing of a test run touches a console that runs from this checkout: its folder, its queue, its keys' speed."""
    from agentconsole.celery import app

    var = tmp_path_factory.mktemp("var")
    django_settings.VAR_DIR = var
    django_settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    app.conf.update(broker_url="memory://", broker_transport_options={"polling_interval": 0.02})


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A database of this process alone: several runs at a time must not meet. A file, as in real life."""
    for database in django_settings.DATABASES.values():
        if database["ENGINE"].endswith("sqlite3"):
            name = str(tmp_path_factory.mktemp("database") / "test.sqlite3")
        else:
            name = f"test_agentconsole_{os.getpid()}"
        database.setdefault("TEST", {})["NAME"] = name


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The test database, left by everybody before it is dropped: a thread or a killed process may still be connected."""
    yield
    with django_db_blocker.unblock():
        if connection.vendor != "postgresql":
            return
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            cursor.fetchall()


@pytest.fixture(autouse=True)
def _ids_of_today() -> None:
    """A test that travelled ahead leaves no ids of its time behind: they only ever grow within a process."""
    ids._last[:] = 0, 0


@pytest.fixture(autouse=True)
def _own_shared_state(settings: Any) -> None:
    """Rates and hints of one test are no other's, also where Redis keeps them."""
    mark = f"test-{uuid.uuid4().hex[:12]}"
    settings.CACHES = {name: {**cache, "KEY_PREFIX": mark} for name, cache in settings.CACHES.items()}
    if settings.REDIS_URL:
        layer = settings.CHANNEL_LAYERS["default"]
        settings.CHANNEL_LAYERS = {"default": {**layer, "CONFIG": {**layer["CONFIG"], "prefix": mark}}}


@pytest.fixture
def environments(db: None) -> None:
    """`dev`, `staging` and `prod`, and the three groups."""
    from runs.services.bootstrap import make_groups_and_environments

    make_groups_and_environments()


@pytest.fixture
def viewer(environments: None) -> User:
    """May look."""
    return make_person("vera", "viewer")


@pytest.fixture
def operator(environments: None) -> User:
    """May look and act on runs."""
    return make_person("omar", "operator")


@pytest.fixture
def admin(environments: None) -> User:
    """May do everything."""
    return make_person("ada", "admin")


@pytest.fixture
def stranger(environments: None) -> User:
    """Has an account and no role."""
    return make_person("sam")


@pytest.fixture
def sign_in() -> Callable[[User], Client]:
    """A browser in which the person is signed in."""

    def signed_in(person: User) -> Client:
        client = Client()
        client.force_login(person)
        return client

    return signed_in


@pytest.fixture
def agent(environments: None) -> AgentCaller:
    """`triage` in `dev`, with its credential."""
    return make_agent("dev", "triage")


@pytest.fixture
def foreign_agent(environments: None) -> AgentCaller:
    """`triage` in `prod`: another environment's agent of the same name."""
    return make_agent("prod", "triage")


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Callable[[str], list[dict[str, Any]]]:
    """The lines logged so far under a token, as the fields that they carry."""
    caplog.set_level("DEBUG")

    def lines(token: str) -> list[dict[str, Any]]:
        events = (record.msg for record in caplog.records if isinstance(record.msg, dict))
        return [event for event in events if event.get("event") == token]

    return lines


@pytest.fixture
def clean_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder for a console in processes of its own."""
    folder = tmp_path / "console"
    folder.mkdir()
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
