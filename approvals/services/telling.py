"""Who is told that an action changed: its environment's queue, its open pages and its waiting polls."""

from agentconsole import live
from approvals.models import Action
from runs.queries.shapes import iso


def tell(action: Action) -> None:
    """Wake what shows or waits for the action, once the surrounding transaction is committed."""
    live.publish_on_commit(
        {
            f"approvals:{action.environment_id}": iso(action.updated_at),
            f"action:{action.id}": action.version,
        }
    )
