"""Accounts as relating takes them: what the rows keep of a span, without rows."""

from collections.abc import Iterable

from traces.mapping import map_span, relate
from traces.mapping.account import Placing, SpanAccount, SpanFacts
from traces.mapping.outcomes import FAILURES
from traces.otlp.shapes import OtlpSpan


def facts_of(account: SpanAccount) -> SpanFacts:
    """What neighbours need to know of a span."""
    return SpanFacts(
        span_id=account.span_id,
        parent_id=account.parent_id,
        role=account.role,
        name=account.name,
        agent=account.agent,
        started_at=account.started_at,
        ended_at=account.ended_at,
        outcome=account.outcome,
        call_id=account.call_id,
        has_arguments=account.arguments is not None and not account.bare_arguments,
        has_result=account.result is not None,
        has_usage=account.model is not None and account.model.input_tokens is not None,
        calls=account.calls,
        error=account.message if account.outcome in FAILURES else "",
        trace=account.trace_id,
    )


def accounts_of(spans: Iterable[OtlpSpan]) -> dict[str, SpanAccount]:
    """The accounts by span; of two with one id the one that has ended."""
    accounts: dict[str, SpanAccount] = {}
    for span in spans:
        account = map_span(span)
        if account.ended_at is not None or account.span_id not in accounts:
            accounts[account.span_id] = account
    return accounts


def placed(accounts: Iterable[SpanAccount]) -> dict[str, Placing]:
    """All of them among each other."""
    return relate([facts_of(account) for account in accounts])
