// The time axis that ribbon, minimap and waterfall share. Times are milliseconds; a view is `{from, to}`.

const STEPS_MS = [
  1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 10e3, 20e3, 30e3, 60e3, 120e3, 300e3, 600e3, 900e3, 1800e3, 3600e3,
  7200e3, 14400e3, 28800e3, 86400e3,
];
const SHORTEST_VIEW_MS = 1;

/** Where a moment stands in a view: 0 at its left edge, 100 at its right. */
export function percent(view, at) {
  return ((at - view.from) / (view.to - view.from)) * 100;
}

/** A stretch of time cut to a view: `{x, width}` in percent, or null if none of it is in view. */
export function stretch(view, from, to) {
  if (to < view.from || from > view.to) return null;
  const x = Math.max(percent(view, from), 0);
  return { x, width: Math.max(Math.min(percent(view, to), 100) - x, 0) };
}

/** Round offsets from `origin` that fall into the view, at most about `count` of them. */
export function marks(view, origin, count) {
  const wanted = (view.to - view.from) / Math.max(count, 1);
  const step = STEPS_MS.find((size) => size >= wanted) ?? Math.ceil(wanted / 86400e3) * 86400e3;
  const first = Math.ceil((view.from - origin) / step - 1e-9);
  const found = [];
  for (let index = first; origin + index * step <= view.to; index += 1) found.push(origin + index * step);
  return found;
}

/** A view `factor` times as long around `anchor`, never beyond `full`. */
export function zoomed(view, full, factor, anchor) {
  const length = Math.min(Math.max((view.to - view.from) * factor, SHORTEST_VIEW_MS), full.to - full.from);
  const share = (anchor - view.from) / (view.to - view.from);
  return within({ from: anchor - length * share, to: anchor + length * (1 - share) }, full);
}

/** A view moved by `delta` milliseconds, never beyond `full`. */
export function panned(view, full, delta) {
  return within({ from: view.from + delta, to: view.to + delta }, full);
}

/** A view pushed back into `full`, its length kept where it fits. */
export function within(view, full) {
  const length = Math.min(view.to - view.from, full.to - full.from);
  const from = Math.min(Math.max(view.from, full.from), full.to - length);
  return { from, to: from + length };
}

/** The run's own extent: from its first moment to its end, or to now while it is live, and past it for late spans. */
export function extent(run, roots, now) {
  let { from, to } = run;
  for (const root of roots) {
    from = Math.min(from, root.start);
    to = Math.max(to, latest(root));
  }
  if (run.isLive) to = Math.max(to, now);
  return { from, to: Math.max(to, from + SHORTEST_VIEW_MS) };
}

function latest(root) {
  let last = root.start;
  const open = [root];
  while (open.length) {
    const node = open.pop();
    last = Math.max(last, node.end ?? node.start);
    for (const child of node.children) open.push(child);
  }
  return last;
}
