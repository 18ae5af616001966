"""Every door of the approvals' pages, from the table of URLs: one that is added later is attacked too."""

import uuid
from typing import Any

from django.contrib.auth.models import User
from django.urls import reverse

from agentconsole.protocol.ids import uuid7
from approvals.models import Action, AuditHead, PolicyVersion, Provisioner, Vote
from approvals.services.provisioners import issue_provisioner
from approvals.urls import urlpatterns
from tests.approvals.pages.test_desk import form
from tests.cast import PASSWORD, AgentCaller

# Read by everybody who has a grant to verify.
OPEN = "jwks"
READ_ONLY = {"approvals", "approvals-decided", "lookers", "approval", "evidence", "evidence-json", "agentack", OPEN}


def doors(agent: AgentCaller, action: Action) -> dict[str, str]:
    """The path of each by its name, for an action and a provisioner of the agent."""
    issued = issue_provisioner(actor="tests", environment="dev", agent=agent.instance.agent.name, name="ci")
    ids: dict[str, Any] = {
        "action_id": action.id,
        "provisioner_id": issued.provisioner.id,
        "run_id": uuid.UUID(uuid7().hex),
    }
    return {
        str(one.name): reverse(str(one.name), kwargs={key: ids[key] for key in one.pattern.converters})
        for one in urlpatterns
    }


def everything(action: Action) -> dict[str, Any]:
    """A form that any of the doors would take."""
    return {
        **form(action, note="as told", password=PASSWORD), "found": "failed", "do": "save", "base": "0", "comment": "",
        "rules": '[{"name": "any", "answer": "allow"}]', "environment": "dev", "agent": "triage", "name": "more",
    }  # fmt: skip


def state() -> tuple[Any, ...]:
    """What an attack must leave as it was."""
    return (
        list(Action.objects.values_list("status", "version")),
        list(AuditHead.objects.values_list("seq", flat=True)),
        [model.objects.count() for model in (Vote, PolicyVersion)],
        list(Provisioner.objects.values_list("name", "revoked_at")),
        list(User.objects.order_by("id").values_list("username", "password")),
    )
