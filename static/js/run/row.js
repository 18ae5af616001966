// One row of the waterfall.

import { badge, icon } from "../icons.js";
import { durationText, exactText } from "../time.js";
import { hrefOf } from "./address.js";
import { kindOf, rowLink, wordOf } from "./approval.js";
import { barOf } from "./bars.js";
import { el, say, set, svg } from "./dom.js";
import { count } from "./text.js";

const DEEPEST_INDENT = 12;
const KIND_ICONS = { subagent: "bot", tool: "wrench", model: "brain", retrieval: "database", step: "corner-down-right", approval: "hand" };

export function kindIcon(kind) {
  return el("span", { class: "kind", "data-kind": kind, title: kind }, icon(KIND_ICONS[kind] ?? "circle"), el("span", { class: "sr" }, `${kind} `));
}

/** An empty row; `updateRow` fills it. */
export function newRow() {
  const cells = ["span-name", "span-outcome", "span-took numbers", "span-track"];
  const row = el("div", { class: "span-row", role: "row" }, ...cells.map((name) => el("div", { class: name, role: "gridcell" })));
  row.lastChild.append(svg("svg", { width: "100%", height: "100%", "aria-hidden": "true" }));
  return row;
}

/**
 * Brings a row up to date.
 * @param {object} context `{view, from, to, critical, isLoaded, index, active, opened}`
 */
export function updateRow(element, row, context) {
  const { node } = row;
  set(element, {
    id: `row-${node.id}`,
    "data-id": node.id,
    "data-depth": Math.min(row.depth, DEEPEST_INDENT),
    "data-context": row.isContext,
    "data-critical": context.critical.has(node.id),
    "data-active": node.id === context.active,
    "aria-level": row.depth + 1,
    "aria-posinset": row.position,
    "aria-setsize": row.siblings,
    "aria-rowindex": context.index + 2,
    "aria-expanded": row.isOpen === null ? null : String(row.isOpen),
    "aria-selected": String(node.id === context.opened),
  });
  // A set of attributes is cheap, cells are not: they are built when the span's state or the caret changed.
  const state = `${node.span?.seq} ${row.isOpen} ${node.children.length} ${node.marks.skew} ${node.marks.isLate} ${node.marks.isLoop} ${context.isLoaded}`;
  if (element.dataset.state !== state) {
    element.dataset.state = state;
    fill(element, row, context);
  }
  drawTimes(element, node, context);
}

function fill(element, row, { isLoaded }) {
  const [name, outcome] = element.children;
  const { node } = row;
  name.replaceChildren(caret(row), ...(node.span ? nameOf(node) : standInName(node, isLoaded)));
  outcome.replaceChildren(...(node.span ? [badge(wordOf(node.span))] : []));
}

function caret(row) {
  if (row.isOpen === null) return el("span", { class: "caret" });
  const button = el("button", { type: "button", class: "caret", tabindex: -1, "data-caret": true }, icon(row.isOpen ? "chevron-down" : "chevron-right"));
  button.setAttribute("aria-label", row.isOpen ? "Collapse" : `Expand ${count(row.node.children.length)} below`);
  return button;
}

function nameOf({ id, span, marks }) {
  return [
    kindIcon(kindOf(span)),
    el("a", { href: hrefOf({ span: id }), tabindex: -1 }, span.name),
    rowLink(span),
    span.attempts.length > 1 && mark("rotate-ccw", `${span.attempts.length}×`, `${span.attempts.length} attempts`),
    span.agent && span.agent !== span.name && el("span", { class: "quiet cut" }, span.agent),
    marks.skew > 0 && mark("clock-alert", "clock", `Begins ${durationText(marks.skew)} before its parent: the clocks differ`),
    marks.isLate && mark("timer-reset", "late", "After the run's end"),
    marks.isLoop && mark("refresh-cw", "loop", "It and its parents name each other as parents"),
  ].filter(Boolean);
}

function mark(name, word, title) {
  return el("span", { class: "span-mark", title }, icon(name), el("span", {}, word));
}

function standInName(node, isLoaded) {
  return [icon("unplug"), el("span", { class: "missing" }, isLoaded ? "parent not received " : "parent not read yet ", el("code", {}, node.parentId))];
}

function drawTimes(element, node, context) {
  const [, , took, track] = element.children;
  const end = node.end ?? context.to;
  say(took, node.span ? durationText(Math.max(end - node.start, 0)) : "");
  set(took, { "data-open": node.span && node.end === null });
  set(track, { title: node.span ? trackTitle(node, context) : null });
  track.firstChild.replaceChildren(...barOf(node, context));
}

function trackTitle({ span, start, end }, { from }) {
  const offset = start - from;
  const parts = [`begins ${offset < 0 ? "−" : "+"}${durationText(Math.abs(offset))}`, exactText(start)];
  if (end === null) parts.push(span.outcome === "waiting" ? "waiting on a person" : "no end received");
  if (span.hard_ms !== null) parts.push(`slow after ${durationText(span.soft_ms ?? span.hard_ms)}, cancelled after ${durationText(span.hard_ms)}`);
  return parts.join(" · ");
}
