// The waterfall: windowed nested rows with bars on one time axis, zoom and pan, filter, collapse, a row that keys move.

import { announce } from "../announce.js";
import { icon } from "../icons.js";
import { durationText } from "../time.js";
import { marks, panned, percent, within, zoomed } from "./axis.js";
import { el, say, set } from "./dom.js";
import { minimap } from "./minimap.js";
import { newRow, updateRow } from "./row.js";
import { count } from "./text.js";
import { timelineTools } from "./tools.js";
import { flatten } from "./tree.js";
import { bindWheel } from "./wheel.js";
import { windowed } from "./windowed.js";

const MARK_EVERY_PX = 110;
const MARK_WIDTH_PX = 70;

/**
 * @param {HTMLElement} panel what the waterfall stands in
 * @param {object} page `{open(changes, isMove), onZoom(view|null)}`
 */
export function timeline(panel, page) {
  let model = null;
  let rows = [];
  let indexes = new Map();
  let matches = null;
  let view = null;
  let active = null;
  let opened = null;
  const collapsed = new Set();

  const list = el("div", { class: "span-rows", role: "rowgroup" });
  const axis = el("div", { class: "span-axis", "aria-hidden": "true" });
  const head = el("div", { class: "span-row span-head", role: "row", "aria-rowindex": 1 });
  for (const title of ["Span", "Outcome", "Took"]) head.append(el("span", { role: "columnheader" }, title));
  head.append(el("span", { role: "columnheader" }, el("span", { class: "sr" }, "When"), axis));
  const grid = el("div", { class: "waterfall", role: "treegrid", tabindex: 0, "aria-label": "Spans of this run" });
  grid.append(head, list);
  const none = el("div", { class: "state", hidden: true }, icon("chart-gantt"), el("h2"), el("p"));
  const tools = timelineTools({ onFilter, onZoom: zoomBy, onFit: () => zoomTo(null), onCollapse });
  const map = minimap({ onView: zoomTo });
  const top = el("div", { class: "timeline-top" }, tools.element, el("div", { class: "overview" }, map.element, tools.buttons));
  panel.replaceChildren(el("section", { class: "timeline", "aria-label": "Timeline" }, top, grid, none));
  // The column heads stick below the tools, however high these are.
  new ResizeObserver(() => grid.style.setProperty("--stuck", `${getComputedStyle(top).position === "sticky" ? top.offsetHeight : 0}px`)).observe(top);
  const rowWindow = windowed(list, { height: rowHeight, keyOf: (index) => rows[index].node.id, render });

  function rowHeight() {
    return Number.parseFloat(getComputedStyle(grid).getPropertyValue("--row-height"));
  }

  function render(index, element) {
    const row = element ?? newRow();
    const context = { view: shownView(), from: model.times.from, to: model.times.to, critical: model.critical, isLoaded: model.isLoaded };
    updateRow(row, rows[index], { ...context, index, active, opened });
    return row;
  }

  function shownView() {
    return view ? within(view, model.full) : model.full;
  }

  /** Draws a model; `isSame` says that only the clock moved since. */
  function update(next, isSame = false) {
    model = next;
    if (!isSame) lay();
    rowWindow.paint(indexes.get(active) ?? null);
    drawAxis();
    map.update(rows, shownView(), model, isSame);
  }

  function lay() {
    const test = matches && ((span) => matches(span, model.critical));
    rows = flatten(model.roots, collapsed, test);
    indexes = new Map(rows.map((row, index) => [row.node.id, index]));
    set(grid, { "aria-rowcount": rows.length + 1 });
    tools.update(model, rows.length, matches !== null);
    say(none.querySelector("h2"), matches ? "No span matches" : "No span yet");
    say(none.querySelector("p"), matches ? "Change or clear the filter above." : "Sub-agents, tool calls and model calls stand here as soon as the agent reports one.");
    none.hidden = rows.length > 0;
    rowWindow.show(rows.length, (key) => indexes.get(key) ?? -1);
  }

  function drawAxis() {
    const shown = shownView();
    const isWhole = (at) => percent(shown, at) * axis.clientWidth < 100 * (axis.clientWidth - MARK_WIDTH_PX);
    const places = marks(shown, model.times.from, Math.max(axis.clientWidth / MARK_EVERY_PX, 2)).filter(isWhole);
    axis.replaceChildren(...places.map((at) => {
      const label = el("span", {}, durationText(at - model.times.from));
      label.style.left = `${percent(shown, at)}%`;
      return label;
    }));
  }

  function redraw() {
    if (model) update(model);
  }

  function onFilter(next) {
    matches = next;
    redraw();
    announce(matches ? `${count(rows.length)} rows` : "Filter cleared");
  }

  function onCollapse(isAll) {
    collapsed.clear();
    if (isAll) for (const node of model.byId.values()) if (node.children.length) collapsed.add(node.id);
    redraw();
  }

  function toggle(id, isOpen) {
    const row = rows[indexes.get(id)];
    if (!row || row.isOpen === null || row.isOpen === isOpen) return false;
    if (isOpen) collapsed.delete(id);
    else collapsed.add(id);
    redraw();
    return true;
  }

  function zoomTo(next) {
    view = next && next.to - next.from < model.full.to - model.full.from ? within(next, model.full) : null;
    page.onZoom(view);
    redraw();
  }

  function zoomBy(factor, anchor = null) {
    const shown = shownView();
    zoomTo(zoomed(shown, model.full, factor, anchor ?? (shown.from + shown.to) / 2));
  }

  function pan(share) {
    const shown = shownView();
    zoomTo(panned(shown, model.full, (shown.to - shown.from) * share));
  }

  function activate(id, isRevealed = true) {
    active = id;
    set(grid, { "aria-activedescendant": `row-${id}` });
    if (isRevealed) rowWindow.reveal(indexes.get(id), list.getBoundingClientRect().top - grid.getBoundingClientRect().top + stuckHeight());
    else rowWindow.paint();
  }

  function stuckHeight() {
    return Number.parseFloat(getComputedStyle(head).top) || 0;
  }

  function move(step) {
    if (!rows.length) return;
    const at = indexes.get(active);
    const next = at === undefined ? (step > 0 ? 0 : rows.length - 1) : Math.min(Math.max(at + step, 0), rows.length - 1);
    activate(rows[next].node.id);
    if (opened !== null && rows[next].node.span) page.open({ span: rows[next].node.id }, true);
  }

  /** What h, l and the arrows do: fold or go up, unfold or go down. */
  function fold(isOpen) {
    const row = rows[indexes.get(active)];
    if (!row || toggle(active, isOpen)) return;
    if (isOpen && row.isOpen) move(1);
    if (!isOpen) {
      const parent = row.node.span?.parent;
      const up = [parent, `missing:${parent}`].find((id) => indexes.has(id));
      if (up) activate(up);
    }
  }

  list.addEventListener("click", (event) => {
    const id = event.target.closest("[data-id]")?.dataset.id;
    if (!id || event.target.closest("[data-leaves]") || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    active = id;
    set(grid, { "aria-activedescendant": `row-${id}` });
    if (event.target.closest("[data-caret]") || !model.byId.get(id).span) toggle(id, !rows[indexes.get(id)].isOpen);
    else page.open({ span: id });
  });

  bindWheel(grid, { shownView, zoomBy, pan });

  return {
    update,
    move,
    fold,
    pan,
    zoomTo,
    zoomBy,
    focusFilter: tools.focus,
    /** Opens the row that the keys are at; false if there is none to open. */
    openActive: () => (model.byId.get(active)?.span ? page.open({ span: active }) : false),
    /** Marks the row that the drawer shows, and unfolds what hides it. */
    mark(id, isRevealed) {
      opened = id;
      if (id === null || !model?.byId.has(id)) return rowWindow.paint();
      for (let node = model.byId.get(id); node; node = model.byId.get(node.span?.parent)) if (node.id !== id) collapsed.delete(node.id);
      redraw();
      if (indexes.has(id)) activate(id, isRevealed);
    },
  };
}

