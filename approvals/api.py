"""JSON over HTTP: the console as a tool server. What changes something runs under a grant, or it does not run."""

from django.http import HttpRequest
from ninja import Router
from pydantic import BaseModel

from agentconsole.errors import UnauthorizedError
from approvals.services.pruning import prune_under_grant
from runs.api import ApiError
from runs.services.credentials import authenticate_instance

router = Router(tags=["tools"])
GRANT_HEADER = "X-Console-Grant"


class PruneBody(BaseModel):
    """The call that was approved: runs not heard of since `before` go."""

    before: str


class PruneAnswer(BaseModel):
    """What was deleted; `is_done` is false if there may be more, for which another approval is needed."""

    runs: int
    rows: int
    is_done: bool


@router.post(
    "/tools/prune_runs",
    response={200: PruneAnswer, 400: ApiError, 401: ApiError, 403: ApiError, 409: ApiError},
    operation_id="prune_runs",
    openapi_extra={"security": [{"InstanceCredential": []}]},
)
def prune_runs(request: HttpRequest, body: PruneBody) -> PruneAnswer:
    """Delete the runs of the credential's environment that are past their retention, with a grant for exactly that."""
    instance = authenticate_instance(request.headers.get("Authorization", ""))
    grant = request.headers.get(GRANT_HEADER, "")
    if not grant:
        raise UnauthorizedError(f"This needs an approval: send its grant as {GRANT_HEADER}.")
    pruned = prune_under_grant(instance=instance, grant=grant, before=body.before)
    return PruneAnswer(runs=pruned.runs, rows=pruned.rows, is_done=pruned.is_done)
