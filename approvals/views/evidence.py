"""Evidence: the pack of an action, the AgentAck trace of a run, the keys that grants are verified with."""

from typing import cast
from uuid import UUID

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from agentconsole.protocol.exact_json import dump_exact
from agentconsole.protocol.tokens import TOKENS
from approvals.presentation import visible
from approvals.queries.action_page import action_for
from approvals.queries.agentack import agentack_trace
from approvals.queries.evidence import evidence_pack
from approvals.services.grants import jwks
from runs.access import Role, requires, run_for


@require_GET
@requires(Role.VIEWER)
def evidence(request: HttpRequest, action_id: UUID) -> HttpResponse:
    """The readable page."""
    action = action_for(cast(User, request.user), action_id)
    pack = evidence_pack(action)
    steps = [
        {**step, "meaning": TOKENS.get(step["token"], ""), "shown": visible(dump_exact(step["data"]))}
        for step in pack["chain"]
    ]
    canonical = visible(pack["canonical"])
    context = {
        "action": action,
        "pack": pack,
        "canonical": canonical,
        "steps": steps,
        "environment": action.environment_id,
    }
    return render(request, "approvals/evidence.html", context)


@require_GET
@requires(Role.VIEWER)
def evidence_json(request: HttpRequest, action_id: UUID) -> HttpResponse:
    """The pack as JSON, to be kept."""
    action = action_for(cast(User, request.user), action_id)
    name = f'attachment; filename="evidence-{action.id}.json"'
    text = dump_exact(evidence_pack(action))
    return HttpResponse(text, content_type="application/json", headers={"Content-Disposition": name})


@require_GET
@requires(Role.VIEWER)
def run_trace(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """A run's approvals as an AgentAck trace."""
    run = run_for(request.user, run_id)
    name = f'attachment; filename="agentack-{run.id}.jsonl"'
    text = "".join(agentack_trace(run))
    return HttpResponse(text, content_type="application/x-ndjson", headers={"Content-Disposition": name})


@require_GET
def public_keys(request: HttpRequest) -> JsonResponse:
    """`/.well-known/jwks.json`."""
    return JsonResponse(jwks(), headers={"Cache-Control": "public, max-age=300"})
