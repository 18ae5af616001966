"""On PostgreSQL both commands say which of its own tools to run, and never the password."""

import pytest
from django.core.management import CommandError, call_command

from agentconsole.backup.postgres import dump_advice, restore_advice

DEPLOYED = {"HOST": "db.example.org", "PORT": 5433, "USER": "console", "NAME": "agent console", "PASSWORD": "hunter2"}


@pytest.mark.postgres
@pytest.mark.parametrize(("command", "tool"), [(["backup"], "pg_dump -Fc"), (["restore", "x"], "pg_restore ")])
def test_the_commands_refuse_and_name_the_tool(command: list[str], tool: str):
    with pytest.raises(CommandError, match="The database is PostgreSQL") as refused:
        call_command(*command)
    assert tool in str(refused.value)


def test_the_commands_are_exact():
    assert (
        "\n  pg_dump -Fc --no-owner --no-privileges -h db.example.org -p 5433 -U console -d 'agent console' -f console.dump\n"
        in dump_advice(DEPLOYED)
    )
    assert (
        "\n  pg_restore --no-owner --no-privileges --exit-on-error --single-transaction"
        " -h db.example.org -p 5433 -U console -d 'agent console' console.dump\n"
        "  manage.py migrate\n  manage.py verify_audit\n"
    ) in restore_advice(DEPLOYED)


def test_no_password_is_told():
    assert "hunter2" not in dump_advice(DEPLOYED) + restore_advice(DEPLOYED)
