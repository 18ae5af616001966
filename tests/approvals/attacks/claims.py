"""What the attacks share: a claim of something else, and how the audit chain tells of refusals."""

from collections.abc import Callable

from approvals.models import Action
from approvals.services.claiming import Claim, consume_action
from tests.approvals.asking import RESTART, claimed
from tests.cast import AgentCaller

Codes = Callable[[], list[str]]


def claim(agent: AgentCaller, action: Action, key: str = "k", **arguments: object) -> Claim:
    """Start it with these arguments in place of those that were asked."""
    said = claimed({**RESTART, **arguments})
    return consume_action(instance=agent.instance, action_id=action.id, idempotency_key=key, claimed=said)
