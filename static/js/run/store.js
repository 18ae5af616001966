// What a run page knows: the run's summary and its log's rows, keyed by type and id.
// A page of the log and a live frame have the same shape and are applied the same way. Rows are states, not deltas: of two
// states of one row the one with the newer `seq` counts, so order does not matter and applying twice changes nothing.

const PARTS = ["ticks", "spans", "events"];

export function createStore() {
  return { run: null, ticks: new Map(), spans: new Map(), events: new Map() };
}

/**
 * Applies a page of the log or a frame.
 * @returns {{run: boolean, ticks: number, spans: number, events: number}} what changed by it
 */
export function apply(store, log) {
  const changed = { run: isNewer(log.run, store.run), ticks: 0, spans: 0, events: 0 };
  if (changed.run) store.run = log.run;
  for (const part of PARTS) {
    const rows = store[part];
    for (const row of log[part] ?? []) {
      if (!isNewer(row, rows.get(row.id))) continue;
      rows.set(row.id, row);
      changed[part] += 1;
    }
  }
  return changed;
}

function isNewer(row, known) {
  return Boolean(row) && (!known || row.seq > known.seq);
}

/** The rows of a part in their order of time; rows of one moment in the order of their ids. */
export function inOrder(rows) {
  return [...rows.values()].sort((one, other) => compare(one.at, other.at) || compare(one.id, other.id));
}

function compare(one, other) {
  return one < other ? -1 : one > other ? 1 : 0;
}
