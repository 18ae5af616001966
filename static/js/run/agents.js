// The sub-agents tab: for each invocation the agent, what it was asked, its calls with their outcomes, how long it took,
// and the kept head and tail of its result, read when the card comes into sight.

import { badge, icon } from "../icons.js";
import { durationText } from "../time.js";
import { el, say } from "./dom.js";
import { spanLink } from "./span.js";
import { keptText, written } from "./value.js";

const QUESTIONS = ["query", "question", "task", "prompt", "input", "goal"];

/** What a sub-agent was asked: the telling member of its JSON arguments, a JSON string, or the text as it is. */
export function questionOf(text) {
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    return text;
  }
  if (typeof value === "string") return value;
  const named = value && QUESTIONS.map((name) => value[name]).find((one) => typeof one === "string");
  return named ?? text;
}

/** @param {object} page `{read(spanId): Promise<whole span>, open(changes)}` */
export function agentsView(panel, page) {
  const cards = new Map();
  const none = el("div", { class: "state" }, icon("bot"), el("h2", {}, "No sub-agent"), el("p", {}, "This run has invoked no sub-agent so far."));
  const list = el("section", { class: "agents", "aria-label": "Sub-agents" }, none);
  panel.replaceChildren(list);
  const sight = new IntersectionObserver((entries) => entries.filter((entry) => entry.isIntersecting).forEach((entry) => read(entry.target.dataset.id)));

  function update(model) {
    const found = [...model.byId.values()].filter((node) => node.span?.kind === "subagent").sort((one, other) => one.start - other.start || (one.id < other.id ? -1 : 1));
    none.hidden = found.length > 0;
    found.forEach((node, index) => {
      const card = cards.get(node.id) ?? newCard(node);
      if (list.children[index + 1] !== card.element) list.insertBefore(card.element, list.children[index + 1] ?? null);
      refresh(card, node, model.times.to);
    });
  }

  function newCard(node) {
    const title = spanLink(node.id, page, node.span.agent || node.span.name);
    title.className = "";
    const parts = { outcome: el("span"), took: el("span", { class: "numbers" }), calls: el("ul", { class: "chips invocation-calls", "aria-label": `Calls of ${node.span.agent || node.span.name}` }) };
    parts.query = el("p", { class: "invocation-query" });
    parts.summary = el("p", { class: "invocation-summary" });
    parts.result = el("div");
    const head = el("header", {}, el("h2", {}, el("span", { class: "kind", "data-kind": "subagent" }, icon("bot")), " ", title), el("span", { class: "row" }, parts.outcome, parts.took));
    const element = el("article", { class: "card invocation", "data-id": node.id }, head, el("div", { class: "card-body" }, parts.query, parts.calls, parts.summary, parts.result));
    const card = { ...parts, element, seq: null, calledAs: null, read: null };
    cards.set(node.id, card);
    sight.observe(element);
    return card;
  }

  function refresh(card, node, to) {
    say(card.took, durationText(Math.max((node.end ?? to) - node.start, 0)));
    const calls = node.children.filter((child) => child.span.kind !== "subagent");
    const calledAs = calls.map((call) => `${call.id} ${call.span.seq}`).join();
    if (calledAs !== card.calledAs) {
      card.calledAs = calledAs;
      const items = calls.map((call) => el("li", {}, chip(call)));
      card.calls.replaceChildren(...(items.length ? items : [el("li", { class: "quiet" }, "No call was reported.")]));
    }
    if (card.seq === node.span.seq) return;
    card.seq = node.span.seq;
    card.outcome.replaceChildren(badge(node.span.outcome));
    card.summary.replaceChildren(...written(node.span.message));
    card.summary.hidden = !node.span.message;
    // Seen again once it changed: what came with the change is read then.
    sight.unobserve(card.element);
    sight.observe(card.element);
  }

  async function read(id) {
    const card = cards.get(id);
    if (card.read === card.seq) return;
    card.read = card.seq;
    try {
      const whole = await page.read(id);
      say(card.query, whole.arguments ? questionOf(whole.arguments.text) : "");
      card.query.hidden = !whole.arguments;
      card.result.replaceChildren(whole.result ? keptText("Result", whole.result) : el("p", { class: "quiet" }, "No result was reported."));
    } catch (error) {
      card.read = null;
      card.result.replaceChildren(el("p", { class: "quiet" }, `Its result can't be read: ${error.message}.`));
    }
  }

  function chip(call) {
    const element = spanLink(call.id, page, call.span.name);
    element.className = "chip";
    element.append(" ", badge(call.span.outcome));
    return element;
  }

  return { update };
}
