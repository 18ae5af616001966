"""What a console needs before anybody can use it is made once, and made again where it is missing."""

import stat
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import Group, User
from django.core.management import call_command

from runs.access import Role, role_of
from runs.models import AgentInstance, Environment
from runs.services.bootstrap import keep_doctor_credential, make_first_admin, make_groups_and_environments
from runs.services.credentials import authenticate_instance, revoke_credential

pytestmark = pytest.mark.django_db


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    """Where the doctor's credential is kept."""
    return tmp_path / "doctor_token"


def names(model: Any) -> list[str]:
    """What there is of a model."""
    return sorted(model.objects.values_list("name", flat=True))


def test_roles_and_environments_are_made():
    make_groups_and_environments()
    assert names(Group) == ["admin", "operator", "viewer"]
    assert names(Environment) == ["dev", "prod", "staging"]


def test_an_environment_that_an_admin_deleted_stays_deleted():
    make_groups_and_environments()
    Environment.objects.filter(name="staging").delete()
    make_groups_and_environments()
    assert names(Environment) == ["dev", "prod"]


def test_the_first_admin_can_sign_in_with_the_password(environments: None):
    made = make_first_admin()
    assert made
    person = authenticate(username=made.username, password=made.password)
    assert isinstance(person, User)
    assert role_of(person) is Role.ADMIN


def test_no_admin_is_made_where_there_are_people(viewer: User):
    assert make_first_admin() is None
    assert User.objects.count() == 1


def test_the_doctors_credential_works_and_is_its_owners_alone(environments: None, token_file: Path):
    keep_doctor_credential(token_file)
    instance = authenticate_instance(f"Bearer {token_file.read_text()}")
    assert str(instance.agent) == "doctor (dev)"
    assert stat.S_IMODE(token_file.stat().st_mode) == 0o600


def test_a_credential_that_works_is_kept(environments: None, token_file: Path):
    keep_doctor_credential(token_file)
    token = token_file.read_text()
    keep_doctor_credential(token_file)
    assert token_file.read_text() == token


@pytest.mark.parametrize("lost", ["file", "row"])
def test_a_credential_of_which_half_is_lost_is_replaced(environments: None, token_file: Path, lost: str):
    keep_doctor_credential(token_file)
    if lost == "file":
        token_file.unlink()
    else:
        AgentInstance.objects.all().delete()
    keep_doctor_credential(token_file)
    assert authenticate_instance(f"Bearer {token_file.read_text()}")
    assert AgentInstance.objects.filter(revoked_at=None).count() == 1


def test_a_revoked_credential_is_replaced(environments: None, token_file: Path):
    keep_doctor_credential(token_file)
    revoke_credential(actor="tests", instance_id=AgentInstance.objects.get().pk)
    keep_doctor_credential(token_file)
    assert authenticate_instance(f"Bearer {token_file.read_text()}")


def test_the_command_prints_the_first_password_once(settings: Any, tmp_path: Path):
    settings.VAR_DIR = tmp_path
    first, second = StringIO(), StringIO()
    call_command("setup_console", stdout=first)
    call_command("setup_console", stdout=second)
    password = first.getvalue().split("Password:")[1].split()[0]
    assert authenticate(username="admin", password=password)
    assert "Password" not in second.getvalue()
    assert (tmp_path / "doctor_token").exists()
