"""A look-up by ID reads an index, on SQLite as on PostgreSQL: it costs the same at a thousand and at a million runs."""

import uuid
from typing import Any

import pytest
from django.db import connection
from django.db.models import Q, QuerySet

from runs.queries.search import request_ids_from, runs_by, spans_by
from tests.cast import AgentCaller
from tests.pages.plans import plan_of
from tests.pages.runs import send_run

HEX = "4bf92f3577b34da6a3ce929d0e0e4736"


def cases() -> dict[str, QuerySet[Any]]:
    """Each kind of look-up, whole and by its beginning."""
    first, last = uuid.UUID(HEX[:8].ljust(32, "0")), uuid.UUID(HEX[:8].ljust(32, "f"))
    seen = ["dev", "prod"]
    has_trace = ~Q(trace_id="")
    return {
        "request": runs_by(Q(request_id="req_01"), seen),
        "request, beginning": runs_by(request_ids_from("req_01"), seen),
        "run": runs_by(Q(id=uuid.UUID(HEX)), seen),
        "run, beginning": runs_by(Q(id__gte=first, id__lte=last), seen),
        "trace": runs_by(Q(trace_id=HEX) & has_trace, seen),
        "trace, beginning": runs_by(Q(trace_id__gte=HEX[:8], trace_id__lt=HEX[:8] + "g") & has_trace, seen),
        "span": spans_by(Q(span_id=HEX[:16]), seen),
        "span, beginning": spans_by(Q(span_id__gte=HEX[:8], span_id__lt=HEX[:8] + "g"), seen),
    }


INDEXES = {
    "request": "runs_run_request_id_",
    "run": "runs_run_pkey" if connection.vendor == "postgresql" else "sqlite_autoindex_runs_run_1",
    "trace": "run_by_trace",
    "span": "span_id_idx" if connection.vendor == "postgresql" else "span_by_id",  # a partition's own
}


@pytest.mark.parametrize("name", INDEXES)
@pytest.mark.parametrize("part", ["", ", beginning"])
def test_a_look_up_reads_the_index_of_its_id(name: str, part: str, agent: AgentCaller):
    send_run(agent)
    plan = plan_of(cases()[name + part])
    first = next(line for line in plan.splitlines() if "runs_span" in line or "runs_run" in line)
    assert INDEXES[name] in first, plan
