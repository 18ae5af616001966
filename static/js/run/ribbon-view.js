// Draws the phase ribbon: bands with name, time and share, heartbeats as ticks, gaps, waits hatched, the live edge, and
// the part of the run that the waterfall shows. A band is a button: it zooms the waterfall to its time.

import { durationText } from "../time.js";
import { percent } from "./axis.js";
import { el, say, set, svg } from "./dom.js";

const LANE = 32;
const BAND = 30;
const WAIT = 9;
const BEAT_EVERY_PX = 3;
const EDGE_PX = 12;
const LETTER_PX = 6.6;

/** @param {{onZoom(view|null)}} on told of the band that was chosen */
export function ribbonView({ onZoom }) {
  const root = document.getElementById("run-ribbon");
  const answer = document.getElementById("ribbon-answer");
  const shares = document.getElementById("ribbon-shares");
  const canvas = document.getElementById("ribbon-bands");
  const layers = { ground: svg("rect", { class: "ribbon-ground", width: "100%" }), bands: svg("g"), marks: svg("g"), view: svg("rect", { class: "ribbon-view", y: 0 }) };
  let model = null;
  let view = null;
  let told = null;
  let bandNodes = new Map();

  canvas.removeAttribute("aria-hidden");
  set(canvas, { role: "group", "aria-label": "Phases in time" });
  canvas.replaceChildren(hatching(), layers.ground, layers.bands, layers.marks, layers.view);
  new ResizeObserver(() => model && update(model)).observe(canvas);

  function update(next) {
    model = next;
    const height = LANE * (1 + Math.max(0, ...model.bands.map((band) => band.lane)));
    set(canvas, { height });
    set(layers.ground, { height });
    set(root, { "data-live": model.times.isLive ? "yes" : "no" });
    drawBands();
    drawMarks(height);
    drawView(height);
    drawShares();
    say(answer, told ? detail(told) : summary());
  }

  function x(at) {
    return (Math.min(Math.max(percent(model.full, at), 0), 100) / 100) * canvas.clientWidth;
  }

  function drawBands() {
    const kept = new Map();
    for (const band of model.bands) {
      const key = `${band.phase} ${band.from}`;
      const node = bandNodes.get(key) ?? newBand(key);
      kept.set(key, node);
      updateBand(node, band);
    }
    for (const [key, node] of bandNodes) if (!kept.has(key)) node.remove();
    bandNodes = kept;
  }

  function newBand(key) {
    const node = svg("svg", { class: "band", height: BAND, tabindex: 0, role: "button" });
    node.append(svg("rect", { class: "band-fill", width: "100%", height: BAND }), svg("g"), svg("rect", { class: "band-edge", width: 3, height: BAND }), svg("text", { x: 10, y: 20 }));
    const band = () => model.bands.find((one) => `${one.phase} ${one.from}` === key);
    node.addEventListener("click", () => zoom(band()));
    node.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      event.stopPropagation();
      zoom(band());
    });
    for (const name of ["pointerenter", "focus"]) node.addEventListener(name, () => tell(band()));
    for (const name of ["pointerleave", "blur"]) node.addEventListener(name, () => tell(null));
    layers.bands.append(node);
    return node;
  }

  function updateBand(node, band) {
    const left = x(band.from);
    const width = Math.max(x(band.to) - left, 1.5);
    set(node, { "data-phase": band.colour, "data-open": band.isOpen, x: left, y: band.lane * LANE, width, "aria-label": `${detail(band)}. Zooms the timeline.` });
    node.children[1].replaceChildren(...band.gaps.map(([from, to]) => gap(x(from) - left, x(to) - left)));
    const took = durationText(band.to - band.from);
    const text = node.lastChild;
    const times = [`${took} · ${share(band.to - band.from)}`, took, ""];
    const room = (words) => EDGE_PX + words.length * LETTER_PX;
    if (width < room(band.phase)) return text.replaceChildren();
    if (text.childNodes.length !== 2) text.replaceChildren(svg("tspan", { class: "band-name" }), svg("tspan", { dx: 8 }));
    say(text.firstChild, band.phase);
    say(text.lastChild, times.find((words) => width >= room(`${band.phase}  ${words}`) || !words));
  }

  function gap(from, to) {
    return svg("rect", { class: "gap", x: from, y: 0.5, width: Math.max(to - from, 1), height: BAND - 1 });
  }

  function drawMarks(height) {
    const nodes = [];
    for (const band of model.bands) {
      const top = band.lane * LANE;
      nodes.push(svg("path", { class: "beats", d: beats(band, top) }));
    }
    for (const [from, to] of model.waits) nodes.push(svg("rect", { class: "wait", fill: "url(#hatching)", x: x(from), width: Math.max(x(to) - x(from), 2), height: WAIT }));
    if (model.times.isLive) nodes.push(svg("rect", { class: "now", x: x(model.times.to) - 2, width: 2, height }));
    layers.marks.replaceChildren(...nodes);
  }

  function beats(band, top) {
    let drawn = -BEAT_EVERY_PX;
    let path = "";
    for (const beat of band.beats) {
      const at = Math.round(x(beat)) + 0.5;
      if (at - drawn < BEAT_EVERY_PX) continue;
      path += `M${at} ${top + BAND - 5}v5`;
      drawn = at;
    }
    return path;
  }

  function drawView(height) {
    set(layers.view, { height, x: view ? x(view.from) : 0, width: view ? Math.max(x(view.to) - x(view.from), 2) : 0 });
  }

  function drawShares() {
    model.shares.forEach((row, index) => {
      const item = shares.children[index] ?? shares.appendChild(el("li", {}, el("i", { class: "swatch" }), el("span", { class: "share-name" }), el("b"), el("span", { class: "quiet" })));
      const [, name, time, part] = item.children;
      set(item, { "data-phase": row.colour });
      say(name, row.phase || "no phase");
      say(time, durationText(row.ms));
      say(part, share(row.ms));
    });
    while (shares.children.length > model.shares.length) shares.lastChild.remove();
  }

  function share(ms) {
    const part = ms / Math.max(model.times.to - model.times.from, 1);
    return part > 0 && part < 0.005 ? "<1 %" : `${Math.round(part * 100)} %`;
  }

  function summary() {
    if (!model.shares.length) return "No phase was reported.";
    const most = model.shares.reduce((one, other) => (other.ms > one.ms ? other : one));
    const gaps = model.bands.flatMap((band) => band.gaps);
    const longest = Math.max(0, ...gaps.map(([from, to]) => to - from));
    const silent = gaps.length ? `; no tick for ${durationText(longest)}${gaps.length > 1 ? `, and ${gaps.length - 1} more gaps` : ""}` : "";
    return `${durationText(most.ms)} ${most.phase ? `in ${most.phase}` : "in no phase"}, ${share(most.ms)} of the run${silent}`;
  }

  function detail(band) {
    const notes = [band.phase, durationText(band.to - band.from), share(band.to - band.from), `begins +${durationText(Math.max(band.from - model.times.from, 0))}`, `${band.beats.length} ticks`];
    for (const [from, to] of band.gaps) notes.push(`no tick for ${durationText(to - from)}`);
    if (band.isOpen) notes.push("still in it");
    if (!band.isEntered) notes.push("its entry was not received");
    if (!band.isLeft && !band.isOpen) notes.push("its exit was not received");
    return notes.join(", ");
  }

  function tell(band) {
    told = band;
    if (model) say(answer, told ? detail(told) : summary());
  }

  function zoom(band) {
    const isThere = view && Math.abs(view.from - band.from) < 1 && Math.abs(view.to - band.to) < 1;
    onZoom(isThere ? null : { from: band.from, to: band.to });
  }

  return {
    update,
    /** Shows which part of the run the waterfall shows; null for all. */
    setView(next) {
      view = next;
      if (model) update(model);
    },
  };
}

function hatching() {
  const pattern = svg("pattern", { id: "hatching", width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" });
  pattern.append(svg("rect", { class: "hatch-ground", width: 6, height: 6 }), svg("rect", { class: "hatch-line", width: 2, height: 6 }));
  return svg("defs", {}, pattern);
}
