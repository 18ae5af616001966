"""The bundled agent from the console's side: who asks for a run of it, with which credential, one run at a time."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.utils import timezone

from agentconsole.errors import ConsoleError
from agentconsole.jobs import enqueue_on_commit
from agentconsole.logconf import get_logger
from agentconsole.models import ComponentBeat
from agentconsole.protocol.context import RequestContext, Transport, bound_context, current_context
from runs.doctor.launch import HARD_LIMIT_S, STOP_GRACE_S, launch
from runs.services.credentials import authenticate_instance

log = get_logger(__name__)

LEASE = timedelta(seconds=HARD_LIMIT_S + STOP_GRACE_S + 10)
_COMPONENT = "doctor"
_FREE = datetime(1970, 1, 1, tzinfo=UTC)


class DoctorBusyError(ConsoleError):
    """A run of the bundled agent is under way."""

    code = "doctor_busy"
    http_status = 409
    title = "The doctor is at work"


class NoDoctorError(ConsoleError):
    """The bundled agent is switched off, or has no credential to run with."""

    code = "no_doctor"
    http_status = 409
    title = "There is no doctor"


@dataclass(frozen=True, slots=True)
class Credential:
    """What the bundled agent calls with, who that makes it, and the one environment that it opens."""

    token: str
    actor: str
    environment: str


def start_doctor(*, actor: str) -> str:
    """Have a worker run the bundled agent for a person; the request id under which its run will be found. NoDoctorError."""
    from runs.tasks import run_doctor

    if not settings.DOCTOR_ENABLED:
        raise NoDoctorError("The doctor is switched off. Whoever runs this console can set DOCTOR_ENABLED=on.")
    context = current_context() or RequestContext.mint(Transport.WEB)
    with bound_context(context.with_actor(actor)):
        log.info("DOCTOR_REQUESTED")
        enqueue_on_commit(run_doctor, asked_by=actor)
    return context.request_id


def examine_console(*, asked_by: str = "") -> None:
    """One run of the bundled agent, in a process of its own, within the current request.

    DoctorBusyError while another is under way, anywhere; NoDoctorError or UnauthorizedError without a working credential.
    """
    credential = doctor_credential()
    context = current_context() or RequestContext.mint(Transport.CLI)
    context = replace(context.with_actor(credential.actor, environment=credential.environment), on_behalf_of=asked_by)
    with _lease():
        code = launch(context, token=credential.token)
    if code:
        log.warning("DOCTOR_FAILED", code=code)


def doctor_credential() -> Credential:
    """DOCTOR_TOKEN, else the one that the setup keeps in the console's folder. NoDoctorError, UnauthorizedError."""
    kept = settings.VAR_DIR / "doctor_token"
    token = settings.DOCTOR_TOKEN or (kept.read_text(encoding="ascii").strip() if kept.exists() else "")
    if not token:
        raise NoDoctorError(
            "The doctor has no credential. Run `manage.py setup_console` on this machine, or set DOCTOR_TOKEN to an"
            " instance credential that an admin made under Agents."
        )
    instance = authenticate_instance(f"Bearer {token}")
    return Credential(token, instance.actor, instance.agent.environment_id)


@contextmanager
def _lease() -> Iterator[None]:
    """Hold the one place there is for a run, whatever number of workers there are. DoctorBusyError if it is taken.

    A row taken by compare-and-swap: it works on every database, and frees itself when its holder died.
    """
    holder = uuid.uuid4().hex
    ComponentBeat.objects.get_or_create(component=_COMPONENT, defaults={"beat_at": _FREE})
    now = timezone.now()
    place = ComponentBeat.objects.filter(component=_COMPONENT)
    if not place.filter(beat_at__lt=now - LEASE).update(beat_at=now, detail=holder):
        raise DoctorBusyError("A run of the doctor is under way. Wait a few seconds.")
    try:
        yield
    finally:
        place.filter(detail=holder).update(beat_at=_FREE, detail="")
