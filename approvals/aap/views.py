"""Requests over HTTP: ask, read, withdraw, claim, report. Waiting polls are served in front of Django (`polls`)."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse

from agentconsole.errors import NotFoundError
from approvals.aap.calls import aap_call, action_id_in, answered, as_instance, body_of
from approvals.aap.shapes import action_text, claim_text
from approvals.aap.wire import claimed_in, idempotency_key_in, outcome_in, submission_in
from approvals.models import Action
from approvals.services.asking import ask, refused_questions_audited
from approvals.services.claiming import consume_action
from approvals.services.ending import cancel_action, expire_action, no_such_action
from approvals.services.reporting import report_outcome
from runs.models import AgentInstance

DELEGATION_HEADER = "X-Console-Delegation"


@as_instance
def create(request: HttpRequest, instance: AgentInstance) -> HttpResponse:
    """`POST /v1/requests`. What is refused is in the audit chain, without a word of what was sent."""
    with refused_questions_audited(instance):
        key = idempotency_key_in(request.headers.get("Idempotency-Key"))
        submission = submission_in(body_of(request))
    asked = ask(
        instance=instance,
        submission=submission,
        idempotency_key=key,
        delegation=request.headers.get(DELEGATION_HEADER, ""),
    )
    return answered(action_text(_as_it_is_now(asked.action)), 201 if asked.is_new else 200)


@as_instance
def read(request: HttpRequest, instance: AgentInstance, action_id: str) -> HttpResponse:
    """`GET /v1/requests/{id}`, at once."""
    return answered(action_text(current_action(instance, action_id_in(action_id))))


def current_action(instance: AgentInstance, action_id: UUID) -> Action:
    """The instance's own action as it is now. NotFoundError."""
    action = Action.objects.filter(id=action_id, instance=instance).first()
    if action is None:
        raise no_such_action()
    return _as_it_is_now(action)


def _as_it_is_now(action: Action) -> Action:
    """Past its deadline it is expired, whether a sweep has been by or not."""
    return expire_action(action.id) if action.is_due else action


@as_instance
def cancel(request: HttpRequest, instance: AgentInstance, action_id: str) -> HttpResponse:
    """`DELETE /v1/requests/{id}`."""
    return answered(action_text(cancel_action(instance=instance, action_id=action_id_in(action_id))))


@as_instance
def consume(request: HttpRequest, instance: AgentInstance, action_id: str) -> HttpResponse:
    """`POST /v1/requests/{id}/consume`."""
    key = idempotency_key_in(request.headers.get("Idempotency-Key"))
    claim = consume_action(
        instance=instance,
        action_id=action_id_in(action_id),
        idempotency_key=key,
        claimed=claimed_in(body_of(request)),
    )
    return answered(claim_text(claim))


@as_instance
def outcome(request: HttpRequest, instance: AgentInstance, action_id: str) -> HttpResponse:
    """`POST /v1/requests/{id}/outcome`."""
    status, note = outcome_in(body_of(request))
    action = report_outcome(instance=instance, action_id=action_id_in(action_id), status=status, note=note)
    return answered(action_text(action))


def nothing_here(request: HttpRequest) -> HttpResponse:
    """Any other path below the protocol's."""
    raise NotFoundError("The protocol has no such path. It begins with /api/aap/v1/requests or /api/aap/v1/instances.")


requests = aap_call(POST=create)
request = aap_call(GET=read, HEAD=read, DELETE=cancel)
consumption = aap_call(POST=consume)
report = aap_call(POST=outcome)
unknown = aap_call(**dict.fromkeys(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"), nothing_here))
