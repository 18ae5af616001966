"""Text that hides itself, on every page that shows it: what a person reads is what is there."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from approvals.models import Action, Verdict
from tests.approvals.asking import ask_for, decide
from tests.approvals.pages.reading import claim
from tests.approvals.pages.test_desk import form
from tests.cast import AgentCaller

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("whole_chain")]
HIDDEN = {
    "right to left": "\u202e", "isolate": "\u2066", "no width": "\u200b", "joiner": "\u200d", "byte order": "\ufeff",
    "tag": "\U000e0041", "variation": "\ufe01", "filler": "\u3164", "line": "\u2028",
}  # fmt: skip


def hiding(agent: AgentCaller, hidden: str) -> Action:
    """An action with something hidden in every text that an agent may send."""
    text = f"pay{hidden}ments"
    own = {"operation": text, "resource": text, "on_behalf_of": text, "summary": text, "schema_digest": text}
    arguments = {text: text, "list": [{text: [text]}]}
    return ask_for(
        agent, arguments, tool=text, server=text, agent_reasoning=text, context={"agentconsole": own, text: text}
    )


def pages(client: Client, action: Action) -> dict[str, str]:
    """The pages that show it."""
    paths = ("/approvals/", f"/approvals/{action.id}/", f"/approvals/{action.id}/evidence/", "/approvals/decided/")
    return {path: client.get(path).content.decode() for path in paths}


@pytest.mark.parametrize("name", HIDDEN)
def test_hidden_unicode_is_on_no_page(agent: AgentCaller, operator: User, sign_in: Any, name: str):
    hidden = HIDDEN[name]
    first, client = hiding(agent, hidden), sign_in(operator)
    waiting = pages(client, first)
    claim(agent, decide(operator, first, note=f"a{hidden}b"), **{f"c{hidden}d": f"e{hidden}f"})
    decide(operator, hiding(agent, hidden), Verdict.DENY, f"g{hidden}h")
    for page in [*waiting.values(), *pages(client, first).values()]:
        assert hidden not in page
    for path in (f"/approvals/{first.id}/", f"/approvals/{first.id}/evidence/"):
        assert f"⟨U+{ord(hidden):04X}⟩" in waiting[path]


@pytest.mark.parametrize("name", HIDDEN)
def test_hidden_unicode_is_not_in_what_a_verdict_is_answered_with(
    agent: AgentCaller, operator: User, sign_in: Any, name: str
):
    action, client = hiding(agent, HIDDEN[name]), sign_in(operator)
    said = client.post(f"/approvals/{action.id}/decide", form(action), follow=True).content.decode()
    assert "Approved: pay⟨U+" in said
    assert HIDDEN[name] not in said


def test_hidden_unicode_makes_it_another_action(agent: AgentCaller):
    prints = {ask_for(agent, {"service": f"pay{hidden}ments"}).fingerprint for hidden in ("", *HIDDEN.values())}
    assert len(prints) == len(HIDDEN) + 1


def test_markup_of_an_agent_is_text(agent: AgentCaller, operator: User, sign_in: Any):
    action = hiding(agent, "<img src=x onerror=alert(1)>{{ action.id }}</script>")
    shown = pages(sign_in(operator), action)
    for page in shown.values():
        assert "<img src=x" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;{{ action.id }}&lt;/script&gt;" in shown[f"/approvals/{action.id}/"]
