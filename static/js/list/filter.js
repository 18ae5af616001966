// Whether a run that changed belongs into this list: the same conditions as runs/queries/run_filter.py.

/** A token can't be told from a run's summary: such a list takes no new rows until it is loaded again. */
export function wanted(run, filter) {
  if (filter.token) return false;
  const equal = ["status", "agent", "environment", "transport"].every((name) => !filter[name] || run[name] === filter[name]);
  const isAsker = !filter.actor || [run.subject, run.on_behalf_of, run.actor].includes(filter.actor);
  const hasOutcome = !filter.outcome || (run.tools[filter.outcome] ?? 0) > 0;
  return equal && isAsker && hasOutcome && isWithin(Date.parse(run.started_at), filter);
}

function isWithin(at, filter) {
  const isLate = filter.from && at < utc(filter.from);
  const isEarly = filter.to && at >= utc(filter.to);
  return !isLate && !isEarly;
}

/** The fields `from` and `to` say UTC where they say no offset. */
function utc(text) {
  return Date.parse(/(Z|[+-]\d\d:\d\d)$/.test(text) ? text : `${text}Z`);
}
