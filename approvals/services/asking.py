"""An agent asks whether an action may run."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.db import IntegrityError, transaction
from django.utils import timezone

from agentconsole.errors import ConsoleError, UnauthorizedError
from agentconsole.logconf import get_logger
from agentconsole.protocol.exact_json import dump_exact
from agentconsole.protocol.fingerprint import canonical_bytes, fingerprint_of
from agentconsole.protocol.ids import uuid7
from agentconsole.protocol.redaction import scrub
from approvals.models import Action, ActionStatus
from approvals.policy import Answer, Facts, Terms
from approvals.services import audit
from approvals.services.delegation import Delegation, read_delegation
from approvals.services.ending import audit_end, settle_action
from approvals.services.linking import run_of, wait_in_run
from approvals.services.policies import active_policy
from approvals.services.refusals import refusals_audited
from approvals.services.telling import tell
from approvals.submission import Submission
from runs.lacks import Lacks
from runs.models import AgentInstance
from runs.services.findings import Finding, report_findings

log = get_logger(__name__)


class IdempotencyConflictError(ConsoleError):
    """The idempotency key was used for something else before."""

    code: ClassVar[str] = "idempotency_conflict"
    http_status: ClassVar[int] = 409
    title: ClassVar[str] = "That key was used before"


class SecretInRequestError(ConsoleError):
    """A request carries what looks like a secret. Nothing of it was kept."""

    code: ClassVar[str] = "secret_in_request"
    http_status: ClassVar[int] = 400
    title: ClassVar[str] = "The request carries a secret"


@dataclass(frozen=True, slots=True)
class Asked:
    """The action, and whether this call made it or found it."""

    action: Action
    is_new: bool


def ask(*, instance: AgentInstance, submission: Submission, idempotency_key: str, delegation: str = "") -> Asked:
    """Put an action before the policy and, if that says so, before people. The same key and fields again: the same action.

    IdempotencyConflictError, SecretInRequestError, DelegationError, FingerprintError (as ValueError), UnauthorizedError if the
    instance was retired meanwhile; each refusal is in the audit chain.
    """
    with refused_questions_audited(instance):
        return _ask(instance, submission, idempotency_key, delegation)


def refused_questions_audited(instance: AgentInstance) -> AbstractContextManager[None]:
    """Keep in the audit chain that a question was refused and why, without a word of what was sent."""
    return refusals_audited("APPROVAL_REQUEST_REFUSED", actor=instance.actor, about=f"instance:{instance.id}")


def _ask(instance: AgentInstance, submission: Submission, idempotency_key: str, delegation: str) -> Asked:
    digest = submission.digest()
    found = Action.objects.select_related("agent", "instance").filter(
        instance=instance, idempotency_key=idempotency_key
    )
    existing = found.first()
    if existing is not None:
        return _replayed(existing, digest)
    _refuse_secrets(submission, instance)
    now = timezone.now()
    proven = None
    if delegation:
        agent = instance.agent
        named = submission.console.request_id
        proven = read_delegation(
            delegation, agent=agent.name, environment=agent.environment_id, now=now, request_id=named
        )
    try:
        return Asked(_make(instance, submission, idempotency_key, digest, proven), is_new=True)
    except IntegrityError:
        # Asked twice at once: the other one's action is the answer.
        existing = found.first()
        if existing is None:
            raise
        return _replayed(existing, digest)


def _replayed(action: Action, digest: str) -> Asked:
    if action.submission_digest != digest:
        raise IdempotencyConflictError(
            "This Idempotency-Key was used for a different request. Use a new key for each execution attempt."
        )
    return Asked(action, is_new=False)


def _refuse_secrets(submission: Submission, instance: AgentInstance) -> None:
    """Arguments run as they were shown, so a secret in them can't be masked: the tool has to look it up itself."""
    sent = {
        "arguments": submission.arguments,
        "context": submission.context or {},
        "agent_reasoning": submission.agent_reasoning or "",
    }
    _clean, hits = scrub(sent)
    if not hits:
        return
    report_findings(
        [Finding(hit, submission.console.run_id, source=submission.tool, is_tool=True) for hit in hits],
        door="approvals",
        instance=instance,
    )
    raise SecretInRequestError(
        f"{hits[0].place} looks like a secret ({hits[0].detector}). Nothing was kept. Pass a reference and let the tool look the"
        " secret up, or rename the field if it holds none.",
        param=hits[0].place,
    )


def _make(
    instance: AgentInstance, submission: Submission, idempotency_key: str, digest: str, proven: Delegation | None
) -> Action:
    with transaction.atomic():
        locked = AgentInstance.objects.select_for_update().get(id=instance.id)
        now = timezone.now()
        if not locked.is_usable(now):
            raise UnauthorizedError("This credential was revoked. Ask an admin of this console for a new one.")
        action = new_action(instance, submission, now=now, proven=proven)
        action.idempotency_key, action.submission_digest = idempotency_key, digest
        terms = Terms.from_json(action.terms)
        action.save(force_insert=True)
        if action.run is not None:
            wait_in_run(action, action.run)
        if terms.answer is not Answer.ASK:
            decide_by_policy(action, terms, now)
        audit_request(action)
        if action.is_ended:
            audit_end(action)
        else:
            tell(action)
    return action


def new_action(
    instance: AgentInstance, submission: Submission, *, now: datetime, proven: Delegation | None = None
) -> Action:
    """The action that a submission asks for, under the policy in force; not saved. Two queries."""
    agent, fields = instance.agent, submission.console
    on_behalf_of = proven.person if proven else fields.on_behalf_of
    envelope = submission.envelope(environment=agent.environment_id, agent=agent.name, on_behalf_of=on_behalf_of)
    canonical = canonical_bytes(envelope)
    terms = active_policy().terms_for(
        Facts(
            environment=agent.environment_id,
            agent=agent.name,
            tool=submission.tool,
            server=submission.server or "",
            operation=envelope.operation,
            risk=fields.risk,
            arguments=submission.arguments,
            is_delegation_verified=proven is not None,
        )
    )
    window_s = min(submission.timeout_s, terms.decide_within_s or submission.timeout_s)
    return Action(
        id=uuid7(),
        environment_id=agent.environment_id,
        agent=agent,
        instance=instance,
        tool=submission.tool,
        server=submission.server or "",
        arguments=dump_exact(submission.arguments),
        timeout=submission.timeout,
        agent_reasoning=submission.agent_reasoning,
        context=None if submission.context is None else dump_exact(submission.context),
        operation=envelope.operation,
        resource=fields.resource,
        schema_digest=fields.schema_digest,
        risk=fields.risk or "",
        summary=fields.summary,
        envelope=canonical.decode(),
        fingerprint=fingerprint_of(canonical),
        on_behalf_of=on_behalf_of,
        is_delegation_verified=proven is not None,
        delegation_id=proven.delegation_id if proven else "",
        run=run_of(fields, instance),
        run_id_claimed=fields.run_id,
        request_id=fields.request_id or (proven.request_id if proven else ""),
        trace_id=fields.trace_id,
        lacked=Lacks.of(instance.missing_tools).to_json(),
        terms=terms.to_json(),
        created_at=now,
        deadline_at=now + timedelta(seconds=window_s),
        updated_at=now,
    )


def decide_by_policy(action: Action, terms: Terms, now: datetime) -> None:
    """End an action as a standing rule says."""
    is_allowed = terms.answer is Answer.ALLOW
    settle_action(
        action,
        status=ActionStatus.APPROVED if is_allowed else ActionStatus.DENIED,
        decided_by=f"policy:{terms.policy_version}/{terms.rule}"[:200],
        now=now,
        note=terms.why,
        expires_at=now + timedelta(seconds=terms.start_within_s) if is_allowed else None,
    )


def audit_request(action: Action) -> None:
    """The entry and the log line of a question."""
    data: dict[str, Any] = {
        "fingerprint": action.fingerprint,
        "environment": action.environment_id,
        "agent": action.agent.name,
        "instance": action.instance.name,
        "operation": action.operation,
        "tool": action.tool,
        "server": action.server,
        "resource": action.resource,
        "on_behalf_of": action.on_behalf_of,
        "is_delegation_verified": action.is_delegation_verified,
        "terms": action.terms,
        "deadline_at": action.deadline_at.isoformat(),
        "run_id": str(action.run_id or ""),
        "supersedes": str(action.supersedes_id or ""),
    }
    actor = f"agent:{action.agent.name}/{action.instance.name}"
    audit.append("APPROVAL_REQUESTED", actor=actor, object_id=f"action:{action.id}", data=data)
    log.info(
        "APPROVAL_REQUESTED",
        action_id=str(action.id),
        fingerprint=action.fingerprint,
        agent=action.agent.name,
        operation=action.operation,
        run_id=str(action.run_id or ""),
    )
