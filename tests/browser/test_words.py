"""The browser says times and states as the server does."""

from datetime import UTC, datetime, timedelta

from playwright.sync_api import Page

from runs.queries.shapes import iso
from runs.wording import BADGES, duration_text, exact_text, relative_text
from tests.browser.console import WebConsole

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DURATIONS = [
    0,
    1,
    999,
    1000,
    9999,
    10_000,
    59_999,
    60_000,
    125_000,
    3_599_999,
    3_600_000,
    11_400_000,
    86_399_999,
    356_400_000,
]


def test_durations_and_times_read_the_same_on_both_sides(server: WebConsole, page: Page):
    server.login(page)
    times = [NOW - timedelta(milliseconds=duration) for duration in (*DURATIONS, -20_000, -500)]
    said = page.evaluate(
        """async ([durations, times, now]) => {
            const { durationText, exactText, relativeText } = await import("/static/js/time.js");
            return [durations.map(durationText), times.map((at) => relativeText(at, now)), times.map(exactText)];
        }""",
        [DURATIONS, [at.timestamp() * 1000 for at in times], NOW.timestamp() * 1000],
    )
    assert said[0] == [duration_text(duration) for duration in DURATIONS]
    assert said[1] == [relative_text(at, NOW) for at in times]
    assert said[2] == [exact_text(at) for at in times]


def test_how_long_between_two_times_of_the_wire_reads_the_same_on_both_sides(server: WebConsole, page: Page):
    server.login(page)
    begun = [NOW + timedelta(microseconds=offset) for offset in (0, 1, 399, 500, 999, 123_456)]
    pairs = [
        (start, start + timedelta(microseconds=took)) for start in begun for took in (0, 999, 40_000, 40_999, 1_000_000)
    ]
    said = page.evaluate(
        """async (pairs) => {
            const { durationText, millis } = await import("/static/js/time.js");
            return pairs.map(([start, end]) => durationText(millis(end) - millis(start)));
        }""",
        [[iso(start), iso(end)] for start, end in pairs],
    )
    assert said == [duration_text((end - start) / timedelta(milliseconds=1)) for start, end in pairs]


def test_a_badge_that_a_module_makes_is_the_one_that_the_server_makes(server: WebConsole, page: Page):
    server.login(page)
    made = page.evaluate(
        """async (words) => {
            const { badge } = await import("/static/js/icons.js");
            return words.map((word) => [badge(word).dataset.role, badge(word).textContent]);
        }""",
        [*BADGES, "brand_new"],
    )
    assert made == [[badge.role, badge.word] for badge in BADGES.values()] + [["empty", "brand new"]]


def test_a_time_on_the_page_grows_older_by_itself(server: WebConsole, page: Page):
    server.login(page)
    page.evaluate(
        """async () => {
            const { timeElement } = await import("/static/js/time.js");
            const element = timeElement(new Date(Date.now() - 5000).toISOString());
            element.id = "growing";
            document.querySelector("main").append(element);
        }"""
    )
    before = page.inner_text("#growing")
    page.wait_for_function("before => document.getElementById('growing').textContent !== before", arg=before)
    assert before in ("5 s ago", "6 s ago")
