"""One run of the doctor at a time, whatever asks for it, and with a credential that works."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from celery.exceptions import Retry
from django.utils import timezone

from agentconsole.errors import UnauthorizedError
from agentconsole.models import ComponentBeat
from agentconsole.protocol.context import RequestContext, Transport, bound_context
from runs import tasks
from runs.services import doctor
from runs.services.bootstrap import keep_doctor_credential
from runs.services.credentials import revoke_credential
from runs.services.doctor import LEASE, DoctorBusyError, NoDoctorError, examine_console

pytestmark = pytest.mark.django_db
Launched = list[tuple[RequestContext, str]]
Logged = Callable[[str], list[dict[str, Any]]]


@pytest.fixture
def token(environments: None, settings: Any, tmp_path: Path) -> str:
    """The credential that the setup makes."""
    settings.VAR_DIR = tmp_path
    keep_doctor_credential(tmp_path / "doctor_token")
    return (tmp_path / "doctor_token").read_text()


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch) -> Launched:
    """What would have been launched."""
    found: Launched = []

    def launch(context: RequestContext, *, token: str) -> int:
        found.append((context, token))
        return 0

    monkeypatch.setattr(doctor, "launch", launch)
    return found


@pytest.fixture
def busy(launched: Launched, token: str) -> Iterator[None]:
    """A run is under way, and none besides it was launched."""
    with doctor._lease():
        yield
    assert launched == []


def test_it_runs_as_its_credential_says_within_the_request(launched: Launched, token: str):
    request = RequestContext.mint(Transport.WEB, actor="user:omar")
    with bound_context(request):
        examine_console(asked_by="user:omar")
    [(context, used)] = launched
    assert used == token
    assert (context.request_id, context.transport) == (request.request_id, Transport.WEB)
    assert (context.actor, context.on_behalf_of) == ("agent:doctor/bundled", "user:omar")
    assert context.environment == "dev"


def test_a_second_one_is_refused_while_the_first_is_under_way(busy: None):
    with pytest.raises(DoctorBusyError):
        examine_console()


def test_the_place_is_free_again_after_a_run_and_after_one_that_broke(
    launched: Launched, token: str, monkeypatch: pytest.MonkeyPatch
):
    def break_down(context: RequestContext, *, token: str) -> int:
        raise OSError("no more processes")

    with monkeypatch.context() as once:
        once.setattr(doctor, "launch", break_down)
        with pytest.raises(OSError, match="no more processes"):
            examine_console()
    examine_console()
    examine_console()
    assert len(launched) == 2


def test_the_place_of_a_worker_that_died_is_free_after_its_lease(token: str, launched: Launched):
    ComponentBeat.objects.create(component="doctor", beat_at=timezone.now(), detail="a worker that was killed")
    with time_machine.travel(timezone.now() + LEASE - timedelta(seconds=5)), pytest.raises(DoctorBusyError):
        examine_console()
    with time_machine.travel(timezone.now() + LEASE + timedelta(seconds=5)):
        examine_console()
    assert len(launched) == 1


def test_a_scheduled_one_gives_way(busy: None, logged: Logged):
    with bound_context(RequestContext.mint(Transport.SCHEDULE)):
        tasks.run_doctor()
    assert logged("DOCTOR_SKIPPED")[0]["reason"] == "doctor_busy"


def test_one_that_a_person_asked_for_waits_for_its_turn(busy: None, logged: Logged):
    with bound_context(RequestContext.mint(Transport.WEB)), pytest.raises((Retry, DoctorBusyError)):
        tasks.run_doctor(asked_by="user:omar")
    assert logged("DOCTOR_WAITING")
    assert not logged("DOCTOR_SKIPPED")


def test_without_a_credential_it_says_what_to_do(environments: None, settings: Any, tmp_path: Path, logged: Logged):
    settings.VAR_DIR = tmp_path
    with pytest.raises(NoDoctorError):
        examine_console()
    tasks.run_doctor()
    assert "setup_console" in logged("DOCTOR_SKIPPED")[0]["hint"]


def test_a_revoked_credential_runs_nothing(token: str, launched: Launched, logged: Logged):
    from runs.models import AgentInstance

    revoke_credential(actor="tests", instance_id=AgentInstance.objects.get().pk)
    with pytest.raises(UnauthorizedError):
        examine_console()
    tasks.run_doctor()
    assert logged("DOCTOR_SKIPPED")[0]["reason"] == "unauthorized"
    assert launched == []


def test_a_run_that_broke_or_was_stopped_is_logged(token: str, monkeypatch: pytest.MonkeyPatch, logged: Logged):
    monkeypatch.setattr(doctor, "launch", lambda *_args, **_options: -15)
    examine_console()
    assert logged("DOCTOR_FAILED")[0]["code"] == -15
