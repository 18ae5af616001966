"""A run's rows from the database onto the wire, a page at a time: however large it is, little of it is in memory."""

from collections.abc import AsyncIterator, Callable
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

from agentconsole.live import in_thread
from runs.models import PhaseTick, Run, Span, TraceEvent
from runs.queries.shapes import run_shape
from traces.exporting.items import Item, event_item, finish_item, span_item, start_item, tick_item
from traces.exporting.otlp import export_of

FORMAT = "agentconsole.run/1"
PAGE = 500
# Each with its key below the run. By key and not by `seq`, which a row that changes meanwhile leaves behind.
_TABLES: tuple[tuple[Any, str, Callable[[Any], Item]], ...] = (
    (PhaseTick, "id", tick_item),
    (Span, "span_id", span_item),
    (TraceEvent, "id", event_item),
)
_dump = DjangoJSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


async def as_json(run: Run) -> AsyncIterator[str]:
    """One document: `format`, `run` (its summary, as on its page) and `items`, which the native ingest takes."""
    yield f'{{"format":{_dump(FORMAT)},"run":{_dump(run_shape(run))},"items":['
    between = ""
    async for items in pages(run):
        yield between + ",".join(map(_dump, items))
        between = ","
    yield "]}\n"


async def as_otlp(run: Run) -> AsyncIterator[str]:
    """Lines of OTLP/JSON, each an export request of at most PAGE items."""
    async for items in pages(run):
        yield _dump(export_of(run, items)) + "\n"


async def pages(run: Run) -> AsyncIterator[list[Item]]:
    """The run's items: its start, its rows, its end. One query for each page of rows."""
    yield [start_item(run)]
    for model, key, item_of in _TABLES:
        after: Any = None
        while rows := await in_thread(_page, model, run, key, after):
            yield [item_of(row) for row in rows]
            after = getattr(rows[-1], key)
    if end := finish_item(run):
        yield [end]


def _page(model: Any, run: Run, key: str, after: Any) -> list[Any]:
    rows = model.objects.filter(run_id=run.id).order_by(key)
    return list((rows if after is None else rows.filter(**{f"{key}__gt": after}))[:PAGE])
