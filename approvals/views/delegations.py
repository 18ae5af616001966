"""The web's door for delegations: a signed-in person sends an agent on, and the agent can prove it."""

from typing import cast

from django.contrib.auth.models import User
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from agentconsole.errors import NotFoundError
from agentconsole.protocol.context import current_context
from agentconsole.protocol.ids import is_request_id
from approvals.services.delegation import TTL_S, mint_delegation
from runs.access import Role, requires, visible_environments
from runs.forms import text_in
from runs.models import Agent


@never_cache
@require_POST
@requires(Role.VIEWER)
def delegate(request: HttpRequest) -> JsonResponse:
    """A token for `agent` in `environment`, bound to `request_id` (this request's own where it is left out). Session and CSRF."""
    environment, agent = text_in(request, "environment"), text_in(request, "agent")
    known = Agent.objects.filter(environment=environment, name=agent).exists()
    if environment not in visible_environments(request.user) or not known:
        raise NotFoundError("There is no such agent, or it is in an environment that you can't see.")
    context = current_context()
    offered = request.POST.get("request_id", "")
    request_id = offered if is_request_id(offered) else context.request_id if context else ""
    token = mint_delegation(
        person=cast(User, request.user),
        agent=agent,
        environment=environment,
        request_id=request_id,
        now=timezone.now(),
    )
    return JsonResponse({"delegation": token, "request_id": request_id, "expires_in_s": TTL_S})
