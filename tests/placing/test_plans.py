"""What each export and each sweep looks up stays cheap, however many runs there are."""

import pytest
from django.utils import timezone

from runs.queries.overdue import overdue_runs
from tests.pages.plans import plan_of
from traces.services.neighbours import runs_that_name

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("is_traced", [True, False])
def test_overdue_runs_are_found_by_their_lease(is_traced: bool):
    assert "run_leases" in plan_of(overdue_runs(timezone.now(), is_traced=is_traced).order_by("lease_expires_at")[:200])


def test_the_runs_of_traces_are_found_by_their_trace():
    assert "run_by_trace" in plan_of(runs_that_name(["a" * 32, "b" * 32]))
