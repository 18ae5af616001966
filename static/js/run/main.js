// The run page: one store, drawn by head, ribbon, and the tab that is open; kept true by the log and the live socket.

import { announce } from "../announce.js";
import { durationText } from "../time.js";
import { agentsView } from "./agents.js";
import { drawerView } from "./drawer.js";
import { headView } from "./head.js";
import { bindRunKeys } from "./keys.js";
import { load } from "./loader.js";
import { modelOf } from "./model.js";
import { pause } from "./pause.js";
import { ribbonView } from "./ribbon-view.js";
import { apply, createStore, millis } from "./store.js";
import { timeline } from "./timeline.js";
import { tokensView } from "./tokens.js";

const DRAW_EVERY_MS = 100;
const CLOCK_EVERY_MS = 250;
const MAKERS = { timeline, tokens: tokensView, agents: agentsView };

const boot = JSON.parse(document.getElementById("run-boot").textContent);
const clockAhead = millis(boot.now) - Date.now();
const store = createStore();
const source = modelOf(store, durationText);
const panel = document.getElementById("run-panel");
const head = headView();
const ribbon = ribbonView({ onZoom: zoom });
const drawer = drawerView({ spanUrl: boot.span, hrefOf, close, open });
const held = pause({ onResume: (logs) => logs.forEach(take) });
let model = null;
let view = null;
const views = {};
let tab = null;
let isDirty = false;
let isLoaded = boot.seq === 0;
let drawnAt = 0;

function parameter(name) {
  return new URLSearchParams(location.search).get(name);
}

function wantedTab() {
  return Object.hasOwn(MAKERS, parameter("tab") ?? "") ? parameter("tab") : "timeline";
}

function hrefOf(span, onTab = tab) {
  const query = new URLSearchParams();
  if (onTab && onTab !== "timeline") query.set("tab", onTab);
  if (span) query.set("span", span);
  return `?${query}`;
}

function take(log) {
  const changed = apply(store, log);
  if (changed.spans || changed.run) source.outdate();
  if (changed.run || changed.spans || changed.ticks || changed.events) isDirty = true;
  if (isDirty) soon();
}

function soon() {
  const wait = Math.max(drawnAt + DRAW_EVERY_MS - performance.now(), 0);
  soon.timer ??= setTimeout(draw, wait);
}

function draw(isClockOnly = false) {
  clearTimeout(soon.timer);
  soon.timer = null;
  drawnAt = performance.now();
  isDirty = false;
  model = source.at(held.isOn() ? held.at : Date.now() + clockAhead);
  head.update(model);
  ribbon.update(model);
  if (tab === "timeline") view.update(model, isClockOnly);
  else view?.update(tab === "tokens" ? store.events : model);
  const span = parameter("span");
  if (span && !isClockOnly) drawer.show(span, model.byId.get(span));
}

/** Shows a tab. The server's first paint stays until its rows are here: nothing blinks. */
function mount(name) {
  tab = name;
  for (const link of document.querySelectorAll("#run-tabs [data-tab]")) {
    if (link.dataset.tab === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
    link.href = hrefOf(parameter("span"), link.dataset.tab);
  }
  views[name] ??= newView(name);
  view = views[name].view;
  panel.replaceChildren(views[name].element);
  draw();
  view.mark?.(parameter("span"), false);
}

function newView(name) {
  const element = document.createElement("div");
  const page = { open, hrefOf, onZoom: (part) => ribbon.setView(part), requestId: () => store.run.request_id, read };
  return { element, view: MAKERS[name](element, page) };
}

async function read(id) {
  const answer = await fetch(boot.span + id, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`the console answered ${answer.status}`);
  return answer.json();
}

function go(name) {
  if (name === tab) return;
  history.pushState(null, "", hrefOf(parameter("span"), name));
  mount(name);
}

function open(id, isMove = false) {
  history[isMove ? "replaceState" : "pushState"](null, "", hrefOf(id));
  follow();
  if (!isMove && matchMedia("(max-width: 720px)").matches) drawer.focus();
}

function close() {
  if (!drawer.isOpen()) return false;
  history.pushState(null, "", hrefOf(null));
  follow();
  document.querySelector(".waterfall")?.focus({ preventScroll: true });
  return true;
}

/** Brings the page to what its address says. */
function follow() {
  const span = parameter("span");
  const wanted = wantedTab();
  if (wanted !== tab) mount(wanted);
  if (span) drawer.show(span, model.byId.get(span));
  else drawer.hide();
  document.getElementById("run-body").toggleAttribute("data-drawer", Boolean(span));
  view.mark?.(span, true);
}

function zoom(part) {
  go("timeline");
  view.zoomTo(part);
}

const onTimeline = (act) => () => tab === "timeline" && act();
bindRunKeys({
  j: onTimeline(() => view.move(1)),
  k: onTimeline(() => view.move(-1)),
  ArrowDown: (event) => event.target.closest(".waterfall") !== null && view.move(1),
  ArrowUp: (event) => event.target.closest(".waterfall") !== null && view.move(-1),
  h: onTimeline(() => view.fold(false)),
  l: onTimeline(() => view.fold(true)),
  ArrowLeft: (event) => event.target.closest(".waterfall") !== null && view.fold(false),
  ArrowRight: (event) => event.target.closest(".waterfall") !== null && view.fold(true),
  Enter: onTimeline(() => view.activeId() && model.byId.get(view.activeId())?.span ? open(view.activeId()) : false),
  Escape: close,
  t: () => go(tab === "tokens" ? "timeline" : "tokens"),
  f: () => view.focusFilter?.(),
  ".": () => held.toggle(Date.now() + clockAhead),
  "[": () => (boot.older ? location.assign(boot.older) : false),
  "]": () => (boot.newer ? location.assign(boot.newer) : false),
  "+": onTimeline(() => view.zoomBy(0.5)),
  "-": onTimeline(() => view.zoomBy(2)),
  0: onTimeline(() => view.zoomTo(null)),
  "<": onTimeline(() => view.pan(-0.25)),
  ">": onTimeline(() => view.pan(0.25)),
});

document.getElementById("run-tabs").addEventListener("click", (event) => {
  const name = event.target.closest("[data-tab]")?.dataset.tab;
  if (!name || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  go(name);
});
window.addEventListener("popstate", follow);
setInterval(() => {
  if (document.visibilityState === "visible" && model?.times.isLive && !held.isOn()) draw(true);
}, CLOCK_EVERY_MS);

function onLog(log) {
  if (held.isOn()) held.keep(log);
  else take(log);
  if (tab === null) mount(wantedTab());
}

apply(store, { run: boot.run });
load(boot, { onLog, onLoaded, onTrouble });

function onLoaded() {
  isLoaded = true;
  if (tab === null) mount(wantedTab());
  document.getElementById("run").dataset.loaded = "yes";
  announce(`${store.run.spans} spans`);
}

function onTrouble(sentence) {
  document.getElementById("run-trouble")?.remove();
  if (!sentence || isLoaded) return;
  const place = document.createElement("p");
  place.id = "run-trouble";
  place.className = "notice";
  place.dataset.role = "error";
  place.textContent = sentence;
  document.getElementById("run-tabs").after(place);
}
