// The outcomes of a call and the states of a span without one, in the order in which they are listed (runs.models.SPAN_OUTCOMES).

export const OUTCOMES = ["ok", "slow", "empty", "timeout", "auth_failed", "degraded", "rejected", "error", "running", "waiting", "unreported"];
