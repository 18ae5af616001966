// The head of the page: what the run is, how it stands, how long it takes. Filled by the server first, kept true from here.

import { copyButtons } from "../copy.js";
import { badge, count, icon } from "../icons.js";
import { durationText, timeElement } from "../time.js";
import { el, say, set } from "./dom.js";
import { OUTCOMES } from "./outcomes.js";
import { deadlineOf, isEnded } from "./status.js";
import { count as number } from "./text.js";

const DOORS = { web: "globe", rest: "braces", websocket: "plug", slack: "message-square", grpc: "server", schedule: "calendar-clock", mcp: "waypoints", cli: "terminal" };

export function headView() {
  const places = Object.fromEntries([...document.querySelectorAll("[data-head]")].map((place) => [place.dataset.head, place]));
  let shown = null;
  let word = null;

  /** @param {object} model what `modelOf(...).at(now)` gave */
  function update(model) {
    const { run, state, times } = model;
    if (state.word !== word) {
      word = state.word;
      places.status.replaceChildren(badge(word));
      const title = badge(word).textContent;
      const [pending] = document.title.match(/^\(\d+\+?\) /) ?? [""];
      document.title = `${pending}${title[0].toUpperCase()}${title.slice(1)} · ${run.agent} · ${run.request_id} · Agent Console`;
    }
    say(places.sentence, state.sentence);
    took(run, times);
    deadline(run, model.now);
    if (run.seq === shown) return;
    shown = run.seq;
    fill(run);
  }

  function took(run, times) {
    const text = durationText(times.to - times.from);
    if (!places.took.querySelector("b")) places.took.replaceChildren("", el("b"));
    places.took.firstChild.textContent = isEnded(run) ? "took " : "taking ";
    say(places.took.querySelector("b"), text);
  }

  function deadline(run, now) {
    const found = deadlineOf(run, now, durationText);
    if (!found) return places.deadline.replaceChildren();
    if (!places.deadline.firstElementChild) places.deadline.replaceChildren(icon("alarm-clock-off"), el("span", { class: "quiet" }, "deadline"), " ", el("span"));
    const text = places.deadline.lastElementChild;
    say(text, found.text);
    set(text, { class: found.isOver ? "over" : null });
  }

  function fill(run) {
    say(places.query, run.query);
    places.door.replaceChildren(icon(DOORS[run.transport] ?? "plug"), run.transport);
    places.who.replaceChildren(...who(run));
    places.started.replaceChildren(el("span", { class: "quiet" }, "started"), " ", timeElement(run.started_at));
    say(places.name, run.source?.name ?? "");
    places.source.replaceChildren(...source(run));
    places.tools.replaceChildren(...OUTCOMES.filter((outcome) => run.tools[outcome]).flatMap((outcome) => [count(outcome, run.tools[outcome]), " "]));
    places.notices.replaceChildren(...notices(run));
    if (run.request_id && places.request.textContent !== run.request_id) {
      places.request.textContent = places.request.dataset.copy = run.request_id;
      copyButtons(places.request.parentElement);
    }
    for (const [name, total] of [["spans", run.spans], ["events", run.events]]) {
      const place = document.querySelector(`[data-count="${name}"]`);
      if (place) say(place, number(total));
    }
  }

  return { update };
}

function source(run) {
  if (!run.source) return [];
  const title = "Known from its spans alone: it has ended when its root has, and nothing came for a while";
  return [icon("waypoints"), el("span", { title }, run.source.by ? `OTLP · ${run.source.by}` : "OTLP")];
}

function who(run) {
  const parts = [icon("user"), run.actor];
  if (run.subject) parts.push(" ", el("span", { class: "quiet" }, "as"), ` ${run.subject}`);
  if (run.on_behalf_of) {
    parts.push(" ", el("span", { class: "quiet" }, "on behalf of"), ` ${run.on_behalf_of} `);
    parts.push(el("span", { class: "claimed", title: "The agent says so; nothing proves it" }, "claimed"));
  }
  return parts;
}

function notices(run) {
  const found = [];
  for (const note of run.source?.notes ?? []) found.push(notice("unreported", "circle-help", note));
  if (!run.start_received && !run.source) found.push(notice("unreported", "circle-help", "The start of this run was not received: who asked, what for and when it began are not known."));
  if (run.skew_ms) {
    const where = run.skew_ms > 0 ? "ahead of" : "behind";
    found.push(notice("slow", "clock-alert", `The agent's clock is ${where} the console's; times are shown as the agent told them.`));
  }
  if (run.error) found.push(notice("error", "octagon-x", run.error));
  if (run.summary) found.push(notice("ok", "message-square", run.summary, "run-summary"));
  return found;
}

function notice(role, name, text, more = "") {
  return el("p", { class: `notice ${more}`.trim(), "data-role": role }, icon(name), el("span", {}, text));
}
