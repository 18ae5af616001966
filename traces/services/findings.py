"""Secrets that were taken out of an export, told as every door tells them."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from agentconsole.protocol.redaction import Hit
from runs.ingest.rows import Row
from runs.models import AgentInstance, RunTrace
from runs.services.findings import Finding, findings_in_span, report_findings
from traces.otlp.shapes import OtlpLog, OtlpSpan


@dataclass(frozen=True, slots=True)
class Leak:
    """An item with secrets, and its row, where it became one."""

    item: OtlpSpan | OtlpLog
    row: Row | None
    hits: Sequence[Hit]


def report_leaks(leaks: Sequence[Leak], instance: AgentInstance) -> None:
    """Tell of the secrets of an export that is committed. One query, where there are any."""
    if not leaks:
        return
    traces = {leak.item.trace_id for leak in leaks}
    found = RunTrace.objects.filter(agent_id=instance.agent_id, trace_id__in=traces)
    runs = dict(found.values_list("trace_id", "run_id"))
    findings = [finding for leak in leaks for finding in _findings(leak, runs.get(leak.item.trace_id))]
    report_findings(findings, door="otlp", instance=instance)


def _findings(leak: Leak, run_id: UUID | None) -> list[Finding]:
    if leak.row is None:
        return [Finding(hit, run_id) for hit in leak.hits]
    if "kind" not in leak.row:
        return [Finding(hit, run_id, leak.item.span_id, leak.row["token"]) for hit in leak.hits]
    kind, name = leak.row["kind"], leak.row["name"]
    if run_id is None:
        return [Finding(hit, source=name) for hit in leak.hits]
    return findings_in_span(leak.hits, run_id=run_id, span_id=leak.item.span_id, kind=kind, name=name)
