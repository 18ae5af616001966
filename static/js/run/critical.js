// The critical path: of all the time that the run took, which span was being waited for at each moment. Walks back from the
// end: the child that finished last was what its parent waited for; before that child began, the one that finished last
// before then; what no child covers was the parent's own time.

/**
 * @param {import("./tree.js").Node[]} roots
 * @param {number} to the run's end, or now: what has not ended counts as ending here
 * @returns {Map<string, [number, number][]>} by span id, the stretches of time in which it was on the path, latest first
 */
export function criticalPath(roots, to) {
  const path = new Map();
  const open = [walk(null, roots, -Infinity, to, to)];
  while (open.length) {
    const here = open[open.length - 1];
    const child = nextChild(here, to);
    if (!child) {
      note(path, here, here.start, here.cursor);
      open.pop();
      continue;
    }
    const end = Math.min(child.end ?? to, here.limit);
    note(path, here, end, here.cursor);
    here.cursor = child.start;
    open.push(walk(child, child.children, child.start, end, to));
  }
  return path;
}

function walk(node, children, start, limit, to) {
  const latestFirst = [...children].sort((one, other) => (other.end ?? to) - (one.end ?? to));
  return { node, children: latestFirst, next: 0, start, limit, cursor: limit };
}

function nextChild(here, to) {
  while (here.next < here.children.length) {
    const child = here.children[here.next++];
    // What outlives its parent (fire and forget, or skewed clocks) was waited for only until the parent's end.
    const end = Math.min(child.end ?? to, here.limit);
    if (child.start < here.cursor && end <= here.cursor && child.start <= end) return child;
  }
  return null;
}

function note(path, here, from, to) {
  if (!here.node?.span || to <= from) return;
  if (!path.has(here.node.id)) path.set(here.node.id, []);
  path.get(here.node.id).push([from, to]);
}
