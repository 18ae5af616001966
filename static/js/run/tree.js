// From spans in any order to the nested rows of the waterfall. Nothing is lost on the way: a span whose parent has not come
// stands under a row that says so, and spans that name each other as parents are broken up and marked.

import { millis } from "../time.js";

const CLOCK_TOLERANCE_MS = 5;
const UNENDED = new Set(["running", "waiting"]);

/**
 * @typedef {object} Node
 * @property {string} id the span's id, or `missing:<parent>` for the stand-in of a parent that was not received
 * @property {object|null} span the span in its light shape; null for a stand-in
 * @property {number} start milliseconds
 * @property {number|null} end milliseconds; null while nothing tells of an end
 * @property {Node[]} children in their order of time
 * @property {{skew: number, isLate: boolean, isLoop: boolean}} marks `skew`: how many ms before its parent it claims to begin
 */

/** The roots of the forest. `run` may be null: then nothing counts as late. */
export function forest(spans, run) {
  const nodes = new Map();
  const endedAt = run ? millis(run.ended_at) : null;
  for (const span of spans) nodes.set(span.id, nodeOf(span, endedAt));
  const roots = [];
  const missing = new Map();
  for (const node of nodes.values()) placeOf(node, nodes, missing, roots).push(node);
  roots.push(...missing.values());
  breakLoops(nodes, roots);
  for (const node of [...nodes.values(), ...missing.values()]) node.children.sort(inTime);
  for (const node of missing.values()) embrace(node);
  markSkew(nodes);
  return roots.sort(inTime);
}

function nodeOf(span, endedAt) {
  const start = millis(span.at);
  const end = endOf(span, start);
  const isLate = endedAt !== null && Math.max(start, end ?? start) > endedAt + CLOCK_TOLERANCE_MS;
  return { id: span.id, span, start, end, children: [], marks: { skew: 0, isLate, isLoop: false } };
}

function endOf(span, start) {
  if (span.ended_at) return Math.max(millis(span.ended_at), start);
  const isOpen = UNENDED.has(span.outcome) || span.elapsed_ms === null;
  return isOpen ? null : start + span.elapsed_ms;
}

function placeOf(node, nodes, missing, roots) {
  const parentId = node.span.parent;
  if (!parentId) return roots;
  const parent = nodes.get(parentId);
  if (parent) return parent.children;
  if (!missing.has(parentId)) missing.set(parentId, standIn(parentId));
  return missing.get(parentId).children;
}

function standIn(parentId) {
  const marks = { skew: 0, isLate: false, isLoop: false };
  return { id: `missing:${parentId}`, span: null, parentId, start: 0, end: null, children: [], marks };
}

/** A stand-in lasts as long as what stands under it. */
function embrace(node) {
  node.start = Infinity;
  node.end = -Infinity;
  for (const child of node.children) {
    node.start = Math.min(node.start, child.start);
    node.end = child.end === null || node.end === null ? null : Math.max(node.end, child.end);
  }
}

function breakLoops(nodes, roots) {
  const reached = new Set();
  for (const root of roots) reach(root, reached);
  if (reached.size >= nodes.size) return;
  for (const node of [...nodes.values()].sort(inTime)) {
    if (reached.has(node)) continue;
    const siblings = nodes.get(node.span.parent).children;
    siblings.splice(siblings.indexOf(node), 1);
    node.marks.isLoop = true;
    roots.push(node);
    reach(node, reached);
  }
}

function reach(root, reached) {
  const open = [root];
  while (open.length) {
    const node = open.pop();
    if (node.span) reached.add(node);
    open.push(...node.children);
  }
}

function markSkew(nodes) {
  for (const parent of nodes.values()) {
    for (const child of parent.children) {
      const early = parent.start - child.start;
      if (early > CLOCK_TOLERANCE_MS) child.marks.skew = early;
    }
  }
}

function inTime(one, other) {
  return one.start - other.start || (one.id < other.id ? -1 : 1);
}

/** Every node of a forest by its id. */
export function index(roots) {
  const nodes = new Map();
  const open = [...roots];
  while (open.length) {
    const node = open.pop();
    nodes.set(node.id, node);
    for (const child of node.children) open.push(child);
  }
  return nodes;
}

/**
 * The rows that are shown, in order: `{node, depth, position, siblings, isOpen}`; `isOpen` is null for a leaf.
 * `collapsed` holds ids. With `matches` (a predicate on spans) rows that match are shown with all their ancestors.
 */
export function flatten(roots, collapsed, matches = null) {
  const kept = matches ? keptBy(roots, matches) : null;
  const rows = [];
  const open = frames(roots, 0, kept);
  while (open.length) {
    const row = open.pop();
    rows.push(row);
    if (row.isOpen === null) continue;
    row.isOpen = kept !== null || !collapsed.has(row.node.id);
    if (row.isOpen) open.push(...frames(row.node.children, row.depth + 1, kept));
  }
  return rows;
}

function frames(nodes, depth, kept) {
  const shown = kept ? nodes.filter((node) => kept.has(node)) : nodes;
  const leaf = (node) => !(kept ? node.children.some((child) => kept.has(child)) : node.children.length);
  return shown
    .map((node, index) => ({
      node,
      depth,
      position: index + 1,
      siblings: shown.length,
      isOpen: leaf(node) ? null : true,
      isContext: kept !== null && kept.get(node) === false,
    }))
    .reverse();
}

function keptBy(roots, matches) {
  const kept = new Map();
  const parents = new Map();
  const open = [...roots];
  while (open.length) {
    const node = open.pop();
    if (node.span && matches(node.span)) {
      kept.set(node, true);
      let ancestor = parents.get(node);
      while (ancestor && !kept.has(ancestor)) {
        kept.set(ancestor, false);
        ancestor = parents.get(ancestor);
      }
    }
    for (const child of node.children) {
      parents.set(child, node);
      open.push(child);
    }
  }
  return kept;
}
