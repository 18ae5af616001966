// The run page: one store, drawn by head, ribbon, and the tab that is open; kept true by the log and the live socket.

import { announce } from "../announce.js";
import { durationText, millis } from "../time.js";
import { here, hrefOf } from "./address.js";
import { agentsView } from "./agents.js";
import { el } from "./dom.js";
import { drawerView } from "./drawer.js";
import { headView } from "./head.js";
import { bindRunKeys } from "./keys.js";
import { load } from "./loader.js";
import { modelOf } from "./model.js";
import { pause } from "./pause.js";
import { ribbonView } from "./ribbon-view.js";
import { apply, createStore } from "./store.js";
import { timeline } from "./timeline.js";
import { tokensView } from "./tokens.js";

const DRAW_EVERY_MS = 100;
const CLOCK_EVERY_MS = 250;
const PHONE = "(max-width: 720px)";
const MAKERS = { timeline, tokens: tokensView, agents: agentsView };

const boot = JSON.parse(document.getElementById("run-boot").textContent);
const clockAhead = millis(boot.now) - Date.now();
const store = createStore();
const source = modelOf(store, durationText);
const panel = document.getElementById("run-panel");
const head = headView();
const ribbon = ribbonView({ onZoom: zoom });
const drawer = drawerView({ read, open, close });
const held = pause({ onResume: (logs) => logs.forEach(take) });
const views = {};
let model = null;
let view = null;
let tab = null;
let isLoaded = false;
let timer = 0;
let drawnAt = 0;

function now() {
  return Date.now() + clockAhead;
}

function take(log) {
  const changed = apply(store, log);
  if (changed.spans || changed.run) source.outdate();
  if (changed.run || changed.spans || changed.ticks || changed.events) timer ||= setTimeout(draw, Math.max(drawnAt + DRAW_EVERY_MS - performance.now(), 0));
}

/** Draws what is known; `isTick` says that the clock asked for it: unless a draw is due, nothing but the time changed. */
function draw(isTick = false) {
  const isClockOnly = isTick && !timer;
  clearTimeout(timer);
  timer = 0;
  drawnAt = performance.now();
  model = source.at(held.isOn() ? held.at : now(), isLoaded);
  head.update(model);
  ribbon.update(model);
  view?.update(tab === "tokens" ? store.events : model, isClockOnly);
  if (!isClockOnly) choose();
}

/** Shows a tab. The server's first paint stays until there is something to put in its place: nothing blinks. */
function mount(name) {
  tab = name;
  for (const link of document.querySelectorAll("#run-tabs [data-tab]")) {
    if (link.dataset.tab === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
    link.href = hrefOf({ tab: link.dataset.tab });
  }
  if (!views[name]) {
    const element = el("div");
    const page = { open, read, onZoom: (part) => ribbon.setView(part), requestId: () => store.run.request_id };
    views[name] = { element, view: MAKERS[name](element, page) };
  }
  view = views[name].view;
  panel.replaceChildren(views[name].element);
  draw();
}

/** Opens in the drawer what the address names. */
function choose() {
  const { span, event } = here();
  if (span) drawer.showSpan(span, model.byId.get(span));
  else if (event) drawer.showEvent(event, store.events.get(event));
  else drawer.hide();
}

/** Brings the page to what its address says. */
function follow() {
  if (here().tab !== tab) mount(here().tab);
  choose();
  view.mark?.(here().span, true);
}

async function read(spanId, signal) {
  const answer = await fetch(boot.span + spanId, { signal, headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`the console answered ${answer.status}`);
  return answer.json();
}

function open(changes, isMove = false) {
  history[isMove ? "replaceState" : "pushState"](null, "", hrefOf(changes));
  follow();
  if (!isMove && matchMedia(PHONE).matches) drawer.focus();
}

function close() {
  if (!drawer.isOpen()) return false;
  open({ span: null, event: null }, true);
  panel.querySelector(".waterfall")?.focus({ preventScroll: true });
  return true;
}

function go(name) {
  if (name !== tab) open({ tab: name });
}

function zoom(part) {
  go("timeline");
  view.zoomTo(part);
}

const onTimeline = (act) => (event) => tab === "timeline" && act(event);
const inGrid = (act) => (event) => tab === "timeline" && event.target.closest(".waterfall") !== null && act(event);
bindRunKeys({
  j: onTimeline(() => view.move(1)),
  k: onTimeline(() => view.move(-1)),
  h: onTimeline(() => view.fold(false)),
  l: onTimeline(() => view.fold(true)),
  ArrowDown: inGrid(() => view.move(1)),
  ArrowUp: inGrid(() => view.move(-1)),
  ArrowLeft: inGrid(() => view.fold(false)),
  ArrowRight: inGrid(() => view.fold(true)),
  Enter: onTimeline(() => view.openActive()),
  Escape: close,
  t: () => go(tab === "tokens" ? "timeline" : "tokens"),
  f: () => view.focusFilter?.(),
  ".": () => held.toggle(now()),
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

function begin() {
  if (tab !== null) return;
  mount(here().tab);
  view.mark?.(here().span, false);
}

apply(store, boot);
load(boot, {
  onLog(log) {
    if (held.isOn()) held.keep(log);
    else take(log);
    begin();
  },
  onLoaded() {
    isLoaded = true;
    source.outdate();
    begin();
    draw();
    document.getElementById("run").dataset.loaded = "yes";
    announce(`${store.run.spans} spans`);
  },
});
