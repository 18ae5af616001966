// The whole run in a few pixels: every row a line, and the part that the waterfall shows. Drag to choose another part.

import { badgeOf } from "../icons.js";
import { percent } from "./axis.js";
import { el } from "./dom.js";

const HEIGHT = 36;
const DRAW_EVERY_MS = 400;
const CLICK_PX = 4;

/** @param {{onView(view|null)}} on told of the part that was chosen, null for all */
export function minimap({ onView }) {
  const canvas = el("canvas", { "aria-hidden": "true" });
  const pane = el("div", { class: "minimap-view" });
  const element = el("div", { class: "minimap", title: "Drag to zoom, double-click for the whole run" }, canvas, pane);
  const colours = new Map();
  let drawn = 0;
  let rows = [];
  let model = null;
  let from = null;

  /** Rows in their order; `isSame` says that only the clock moved. */
  function update(nextRows, view, nextModel, isSame) {
    rows = nextRows;
    model = nextModel;
    place(view);
    // Ten thousand lines take a few milliseconds: while the clock alone moves, now and then is enough.
    if (isSame && performance.now() - drawn < DRAW_EVERY_MS) return;
    draw();
  }

  function place(view) {
    const left = Math.max(percent(model.full, view.from), 0);
    pane.style.left = `${left}%`;
    pane.style.width = `${Math.min(percent(model.full, view.to), 100) - left}%`;
    pane.hidden = view.from <= model.full.from && view.to >= model.full.to;
  }

  function draw() {
    drawn = performance.now();
    const ratio = window.devicePixelRatio || 1;
    const width = element.clientWidth;
    if (!width || !model) return;
    canvas.width = width * ratio;
    canvas.height = HEIGHT * ratio;
    const pen = canvas.getContext("2d");
    pen.scale(ratio, ratio);
    const line = Math.max(Math.min(3, (HEIGHT - 4) / Math.max(rows.length, 1) - 1), 1);
    rows.forEach(({ node }, index) => {
      if (!node.span) return;
      const x = (percent(model.full, node.start) / 100) * width;
      const until = (percent(model.full, node.end ?? model.times.to) / 100) * width;
      pen.fillStyle = colourOf(badgeOf(node.span.outcome).role);
      pen.fillRect(x, 2 + (index / Math.max(rows.length, HEIGHT / 4)) * (HEIGHT - 4), Math.max(until - x, 1), line);
    });
  }

  function colourOf(role) {
    if (!colours.has(role)) {
      const probe = el("i", { "data-role": role, class: "minimap-probe" });
      element.append(probe);
      colours.set(role, getComputedStyle(probe).color);
      probe.remove();
    }
    return colours.get(role);
  }

  function timeAt(event) {
    const box = element.getBoundingClientRect();
    const share = Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1);
    return model.full.from + share * (model.full.to - model.full.from);
  }

  element.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    from = { time: timeAt(event), x: event.clientX };
    element.setPointerCapture(event.pointerId);
  });
  element.addEventListener("pointermove", (event) => {
    if (!from || Math.abs(event.clientX - from.x) < CLICK_PX) return;
    const time = timeAt(event);
    onView({ from: Math.min(time, from.time), to: Math.max(time, from.time) });
  });
  element.addEventListener("pointerup", () => (from = null));
  element.addEventListener("dblclick", () => onView(null));

  function recolour() {
    colours.clear();
    draw();
  }
  new ResizeObserver(draw).observe(element);
  new MutationObserver(recolour).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolour);
  return { element, update };
}
