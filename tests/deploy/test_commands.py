"""Every command that deploy/ starts the console with is one that its own parsers take."""

import re
import shlex

import pytest
from celery.bin.celery import celery
from click import Group
from django.core.management import get_commands, load_command_class

from tests.deploy.shipped import DEPLOY, compose, instructions, manifests, pod, text

# The program, then what follows until a shell's next command.
CALLS = re.compile(r"(manage\.py|celery -A agentconsole) ([^;&|]+)")


def started() -> set[tuple[str, str]]:
    """Program and arguments, from everything that starts one."""
    lines = [" ".join(one["command"]) for one in compose()["services"].values() if "build" in one]
    for key in manifests():
        if key[0] in ("Deployment", "Job"):
            spec = pod(*key)
            lines += [" ".join(one["command"]) for one in [*spec.get("initContainers", []), *spec["containers"]]]
    for unit in sorted((DEPLOY / "systemd").glob("*.service")):
        lines += re.findall(r"^ExecStart=(.*)$", text(f"systemd/{unit.name}"), re.MULTILINE)
    lines.append(re.sub(r'[\[\]",]', " ", dict(instructions())["CMD"]))
    calls = {match.groups() for line in lines for match in CALLS.finditer(re.sub(r"\s+", " ", line))}
    return {(program, arguments.replace("%i", "8000").strip()) for program, arguments in calls}


def test_every_role_is_started():
    roles = {shlex.split(arguments)[0] for _program, arguments in started()}
    assert roles == {"serve", "worker", "beat", "migrate", "setup_console"}


@pytest.mark.parametrize("arguments", sorted(arguments for program, arguments in started() if program == "manage.py"))
def test_manage_takes(arguments: str):
    name, *rest = shlex.split(arguments)
    load_command_class(get_commands()[name], name).create_parser("manage.py", name).parse_args(rest)


@pytest.mark.parametrize("arguments", sorted(arguments for program, arguments in started() if program != "manage.py"))
def test_celery_takes(arguments: str):
    name, *rest = shlex.split(arguments)
    assert isinstance(celery, Group)
    command = celery.commands[name]
    # An option that it does not know is an error here; what is no option is left over.
    _options, left_over, _order = command.make_parser(celery.context_class(command)).parse_args(rest)
    assert left_over == []
