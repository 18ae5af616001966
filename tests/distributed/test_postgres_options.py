"""How each kind of process talks to PostgreSQL follows from its command line and the URL."""

import pytest

from agentconsole.env import env
from agentconsole.postgres import connection_options, role_of


@pytest.mark.parametrize(
    ("argv", "role"),
    [
        (["manage.py", "serve", "--port", "8000"], "web"),
        (["/opt/manage.py", "migrate"], "migrate"),
        (["/opt/.venv/bin/celery", "-A", "agentconsole", "worker", "-c", "2"], "worker"),
        (["/lib/celery/__main__.py", "-A", "agentconsole", "beat"], "beat"),
        (["/opt/.venv/bin/celery", "inspect", "ping"], "celery"),
        (["/opt/.venv/bin/pytest", "-q"], "pytest"),
        (["manage.py"], "manage"),
    ],
)
def test_a_process_is_known_by_its_command_line(argv: list[str], role: str):
    assert role_of(argv) == role


def test_pages_wait_less_than_sweeps_and_commands_as_long_as_it_takes():
    def limit(role: str) -> str:
        return str(connection_options({}, role=role, pool_max=1)["options"]).split()[1]

    assert limit("web") == "statement_timeout=30000"
    assert limit("worker") == "statement_timeout=300000"
    assert limit("migrate") == "statement_timeout=0"


def test_what_the_url_says_is_stronger():
    given = env.db_url_config("postgres://h/n?sslmode=verify-full&sslrootcert=/etc/ca.pem&connect_timeout=1")["OPTIONS"]
    options = connection_options(given, role="web", pool_max=7)
    assert (options["sslmode"], options["sslrootcert"], options["connect_timeout"]) == ("verify-full", "/etc/ca.pem", 1)
    assert options["application_name"] == "agentconsole web"
    assert options["pool"]["max_size"] == 7


def test_without_a_pool_there_is_none():
    assert "pool" not in connection_options({}, role="web", pool_max=0)
