"""What frameworks send makes the same rows in whatever order and however often it comes."""

import random
from dataclasses import replace

import pytest

from tests.cast import AgentCaller
from tests.otlp.bodies import FOLDERS
from tests.placing.exports import exports_of, forget, new_trace, rows, store
from tests.placing.trees import records_of, spans_of
from traces.otlp.shapes import Export

pytestmark = pytest.mark.django_db


def shuffled(exports: list[Export], seed: int) -> list[Export]:
    """The same items, in other exports and another order."""
    spans = [span for export in exports for span in export.spans]
    logs = [log for export in exports for log in export.logs]
    chance = random.Random(seed)
    chance.shuffle(spans)
    chance.shuffle(logs)
    sizes = [chance.randrange(1, 5) for _ in range(len(spans) + len(logs))]
    made = []
    for size in sizes:
        made += [Export(size, spans=tuple(spans[:size])), Export(size, logs=tuple(logs[:size]))]
        spans, logs = spans[size:], logs[size:]
    return [
        replace(export, count=len(export.spans) + len(export.logs)) for export in made if export.spans or export.logs
    ]


@pytest.mark.parametrize("folder", FOLDERS)
def test_any_order_makes_the_same_rows(agent: AgentCaller, folder: str):
    exports = exports_of(folder)
    store(exports, agent.instance)
    expected = rows()
    for other in (exports[::-1], shuffled(exports, 1), shuffled(exports, 2)):
        forget()
        store(other, agent.instance)
        assert rows() == expected


@pytest.mark.parametrize("folder", FOLDERS)
def test_what_comes_again_changes_nothing(agent: AgentCaller, folder: str):
    exports = exports_of(folder)
    store(exports, agent.instance)
    expected = rows()
    again = store(shuffled(exports, 3), agent.instance)
    assert sum(outcome.stored for outcome in again) == 0
    assert rows() == expected


@pytest.mark.parametrize("seed", range(12))
def test_any_trace_in_any_order_makes_the_same_rows(agent: AgentCaller, seed: int):
    chance, trace = random.Random(seed), new_trace()
    spans, records = spans_of(chance, trace), records_of(chance, trace)
    whole = [Export(len(spans) + len(records), tuple(spans), tuple(records))]
    seen = []
    for exports in (whole, shuffled(whole, seed), shuffled(whole, seed + 1)):
        forget()
        store(exports, agent.instance)
        seen.append(rows())
    assert seen[1] == seen[0]
    assert seen[2] == seen[0]
    again = store(whole, agent.instance)[0]
    assert (again.stored, rows()) == (0, seen[0])
