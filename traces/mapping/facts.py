"""The part of an account that relating needs: small enough to keep beside the row."""

import json
from hashlib import blake2b
from typing import Any

from traces.mapping.account import Role, SpanAccount, SpanFacts
from traces.mapping.outcomes import FAILURES
from traces.mapping.values import parsed

LONG = 512  # characters from which on a result that others repeat is kept once


def facts_of(account: SpanAccount) -> SpanFacts:
    """What neighbours need to know of a span."""
    nameless = account.role == Role.TOOL_PART and "name" not in account.rules
    return SpanFacts(
        span_id=account.span_id,
        parent_id=account.parent_id,
        role=account.role,
        name="" if nameless else account.name,
        agent=account.agent,
        started_at=account.started_at,
        ended_at=account.ended_at,
        outcome=account.outcome,
        call_id=account.call_id,
        has_arguments=account.arguments is not None and not account.bare_arguments,
        has_result=account.result is not None,
        has_usage=account.model is not None and account.model.input_tokens is not None,
        calls=account.calls,
        digest=digest_of(account.result),
        error_digest=_digest(account.message) if account.outcome in FAILURES and account.message else "",
    )


def digest_of(value: Any) -> str:
    """The same for the same long value, however its JSON is written; "" for a short one."""
    if isinstance(value, str):
        if len(value) < LONG:
            return ""
        value = parsed(value)
    elif not isinstance(value, dict | list):
        return ""
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)
    return _digest(text) if len(text) >= LONG else ""


def _digest(text: str) -> str:
    return blake2b(text.strip().encode(errors="surrogatepass"), digest_size=12).hexdigest()
