"""The doctor's one tool that changes something. It runs with an approval of exactly this call, or it does not run."""

from typing import Any

import httpx

from agentconsole.sdk import Guarded, ToolAuthFailed, granted, guarded
from runs.doctor.tickets import forget_ticket, keep_ticket

TIMEOUT = "1h"
# A doctor's run is short: what nobody has decided by then, the next one asks after.
WAIT_S = 5.0
GRANT_HEADER = "X-Console-Grant"


def prune_tool(client: httpx.Client, *, token: str, environment: str) -> Guarded[[str], dict[str, Any]]:
    """`prune_runs(before)` for one environment, behind the boundary; to be given to `run.call`."""

    @guarded(
        "runs.prune", server="agentconsole", resource=environment, risk="medium", timeout=TIMEOUT, wait_s=WAIT_S,
        summary="Delete finished runs that are past their retention.",
        on_pending=lambda pending: keep_ticket(pending.ticket),
    )  # fmt: skip
    def prune_runs(before: str) -> dict[str, Any]:
        forget_ticket()
        allowed = granted()
        if allowed is None:
            raise ToolAuthFailed("this tool runs under a grant only")
        headers = {"Authorization": f"Bearer {token}", GRANT_HEADER: allowed.grant}
        answer = client.post("/api/v1/tools/prune_runs", json={"before": before}, headers=headers)
        answer.raise_for_status()
        pruned: dict[str, Any] = answer.json()
        return pruned

    return prune_runs
