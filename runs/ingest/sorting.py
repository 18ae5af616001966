"""The items of a native batch, read, cleaned and sorted by what becomes of them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from agentconsole.protocol.redaction import Hit
from runs.ingest.apply import Prepared, prepare
from runs.ingest.beat import CleanBeat, clean_beat
from runs.ingest.errors import ItemError
from runs.ingest.startup import Recorded, startup_summary
from runs.ingest.wire import Beat, EventItem, SpanItem, Startup, read_item, run_of
from runs.services.findings import LEAK_TOKEN, Finding, findings_in_span, findings_told
from runs.services.ledger import DROPPED, Entry

DROP_TOKEN = "SDK_ITEMS_DROPPED"  # noqa: S105  a trace event's token
_MOST_DROPPED = 10**9


@dataclass(slots=True)
class Sorted:
    """What is good of a batch, by kind; what is refused, by its place; and the secrets that were taken out."""

    prepared: list[Prepared] = field(default_factory=list)
    startups: list[Recorded] = field(default_factory=list)
    beats: list[CleanBeat] = field(default_factory=list)
    refused: list[tuple[int, ItemError]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    dropped: list[Entry] = field(default_factory=list)  # what the SDK says it lost


def sort_items(items: Iterable[Any], *, keeps_content: bool) -> Sorted:
    """Read and clean raw items, each for itself."""
    done = Sorted()
    for place, raw in enumerate(items):
        try:
            _take(place, raw, done, keeps_content)
        except ItemError as error:
            done.refused.append((place, error))
    return done


def _take(place: int, raw: Any, done: Sorted, keeps_content: bool) -> None:
    item = read_item(raw)
    if isinstance(item, Startup):
        summary, hits = startup_summary(item)
        done.startups.append((item, summary))
    elif isinstance(item, Beat):
        beat, hits = clean_beat(item)
        done.beats.append(beat)
    else:
        one, hits = prepare(place, item, keeps_content=keeps_content)
        done.prepared.append(one)
        if isinstance(item, EventItem) and item.token == DROP_TOKEN:
            done.dropped.append(_dropped(one))
        if hits or (isinstance(item, EventItem) and item.token == LEAK_TOKEN):
            done.findings.extend(_findings(one, hits))
        return
    done.findings.extend(Finding(hit, source=item.type) for hit in hits)


def _dropped(one: Prepared) -> Entry:
    fields = one.row["fields"]
    count = fields.get("items")
    is_sane = isinstance(count, int) and 0 < count <= _MOST_DROPPED
    return Entry(DROPPED, str(fields.get("reason", "")), str(one.row["run_id"]), count if is_sane else 1)


def _findings(one: Prepared, hits: list[Hit]) -> list[Finding]:
    item, run_id = one.item, run_of(one.item)
    if isinstance(item, SpanItem):
        return findings_in_span(hits, run_id=run_id, span_id=item.id, kind=item.kind, name=one.row["name"])
    if not isinstance(item, EventItem):
        return [Finding(hit, run_id, source=item.type) for hit in hits]
    span_id = item.span or ""
    found = [Finding(hit, run_id, span_id, item.token) for hit in hits]
    if item.token == LEAK_TOKEN:
        found += findings_told(one.row["fields"].get("found"), run_id=run_id, span_id=span_id)
    return found
