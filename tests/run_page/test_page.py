"""The run page without JavaScript: everything can be read, and nothing can be seen that may not be."""

import uuid
from datetime import timedelta
from urllib.parse import quote

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from runs.lacks import Lacks
from runs.models import Environment, Run
from tests.run_page.story import rich_run, wide_run


def text_of(browser: Client, run: Run, query: str = "") -> str:
    response = browser.get(f"/runs/{run.id}/{query}")
    assert response.status_code == 200
    return response.content.decode()


def test_the_head_says_who_asked_what_and_how_it_went(browser, run, story):
    text = text_of(browser, run)
    for words in [story.request_id, "succeeded", "Why is checkout slow", "dana@example.org", "claimed", "1 min 30 s"]:
        assert words in text


def test_the_ribbon_answers_where_the_time_went(browser, run):
    assert "46 s in gather, 51 % of the run" in text_of(browser, run)


def test_the_waterfall_shows_every_outcome_and_what_is_odd(browser, run):
    text = text_of(browser, run)
    for words in ["slow", "empty", "timeout", "auth", "degraded", "rejected", "error", "parent not received", "before its parent", "After the run&#x27;s end"]:  # fmt: skip
        assert words in text or words.replace("&#x27;", "'") in text, words


def test_the_drawer_shows_the_cut_as_a_cut_with_size_and_digest(browser, run, story):
    text = text_of(browser, run, f"?span={story.span_ids['logs']}")
    assert "BEGIN of the log" in text
    assert "END of the log" in text
    assert "characters]</span>" in text
    assert "SHA-256 of the whole" in text


def test_the_drawer_shows_redactions_as_pills(browser, run, story):
    text = text_of(browser, run, f"?span={story.span_ids['post_answer']}")
    assert '<mark class="redacted"' in text
    assert "abcdefghij0123456789" not in text


def test_the_drawer_draws_attempts_against_the_budget(browser, run, story):
    text = text_of(browser, run, f"?span={story.span_ids['search_incidents']}")
    assert "attempt 3" in text
    assert "slow after 2.0 s, cancelled after 4.0 s" in text


@pytest.mark.parametrize("span_id", ["ffffffffffffffff", "not-a-span", "%00"])
def test_a_span_that_is_not_there_is_said_not_to_be(browser, run, span_id):
    assert "Nothing of this ID was received in this run." in text_of(browser, run, f"?span={span_id}")


def test_tokens_are_a_log_that_leads_to_where_else_they_occurred(browser, run):
    text = text_of(browser, run, "?tab=tokens")
    assert "/traces/?token=ROUTER_DECISION" in text
    assert "the first draft was too long" in text


def test_sub_agents_show_query_calls_and_result(browser, run):
    text = text_of(browser, run, "?tab=agents")
    for words in ["errors of checkout since 01:40 UTC", "search_logs", "END of the log", "logs answered"]:
        assert words in text


@pytest.mark.parametrize("query", ["?tab=nonsense"])
def test_a_tab_that_is_not_there_is_not_found(browser, run, query):
    assert browser.get(f"/runs/{run.id}/{query}").status_code == 404


@pytest.mark.parametrize("after", ["x", "-1", "9" * 30, "%00", "ffffffffffffffff"])
@pytest.mark.parametrize("tab", ["timeline", "tokens", "agents"])
def test_a_cursor_that_nobody_gave_does_no_harm(browser, run, tab, after):
    assert browser.get(f"/runs/{run.id}/?tab={tab}&after={after}").status_code == 200


def test_plain_pages_lead_through_all_spans(browser, send):
    wide = wide_run(timezone.now() - timedelta(minutes=5), 250)
    run = send(wide, wide.until(1e9))
    names, after = [], ""
    for _ in range(3):
        page = browser.get(f"/runs/{run.id}/?after={after}").context["page"]
        names += [row.span.name for row in page.rows if row.span]
        after = page.next_after
    assert (len(names), len(set(names)), after) == (250, 250, "")


def test_a_run_of_a_degraded_agent_says_what_it_began_without(browser, run):
    missing = [{"name": "restart_pod", "reason": "no credential"}]
    Run.objects.filter(id=run.id).update(lacked=Lacks.of(missing).to_json())
    text = text_of(browser, run)
    assert "Begun by a degraded agent" in text
    assert "restart_pod" in text
    assert "no credential" in text


def test_a_run_whose_start_was_lost_says_so(browser, send):
    story = rich_run(timezone.now() - timedelta(seconds=30))
    run = send(story, story.until(20)[1:])
    text = text_of(browser, run)
    assert "The start of this run was not received" in text
    assert "request ID not received" in text


def test_neighbours_are_the_runs_of_the_same_agent(browser, send):
    stories = [rich_run(timezone.now() - timedelta(minutes=minutes)) for minutes in (30, 20, 10)]
    for story in stories:
        send(story, story.until(1))
    boot = browser.get(f"/runs/{stories[1].run_id}/").context["boot"]
    assert (boot["older"], boot["newer"]) == (f"/runs/{stories[0].run_id}/", f"/runs/{stories[2].run_id}/")


def test_texts_of_an_agent_are_never_markup(browser, send):
    story = rich_run(timezone.now())
    story.items[0][1]["query"] = "<script>alert(1)</script>"
    text = text_of(browser, send(story, story.until(1)))
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert" in text


def test_a_restricted_environment_hides_its_runs(run: Run, browser: Client):
    Environment.objects.filter(name="dev").update(is_restricted=True)
    assert browser.get(f"/runs/{run.id}/").status_code == 404
    assert browser.get(f"/runs/{uuid.uuid4()}/").status_code == 404


def test_an_account_without_a_role_and_nobody_see_nothing(run: Run, stranger: User, sign_in):
    assert sign_in(stranger).get(f"/runs/{run.id}/").status_code == 403
    response = Client().get(f"/runs/{run.id}/")
    assert response.headers["Location"] == f"/login/?next={quote(f'/runs/{run.id}/')}"


def test_an_event_has_an_address_of_its_own(browser, run):
    event = run.events.get(token="SYNTH_FALLBACK_TRIGGERED")
    text = text_of(browser, run, f"?tab=tokens&event={event.id}")
    assert '<h2 id="drawer-title">SYNTH_FALLBACK_TRIGGERED' in text
    assert "draft_tokens" in text


@pytest.mark.parametrize("event_id", ["8e6f2a0e-7a55-4d0c-9a38-0f6f3f1c8f10", "no-uuid", "%00"])
def test_an_event_that_is_not_there_is_said_not_to_be(browser, run, event_id):
    assert "Nothing of this ID was received in this run." in text_of(browser, run, f"?event={event_id}")
