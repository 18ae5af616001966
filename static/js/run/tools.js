// The waterfall's tools: filter by text and outcome, the critical path alone, zoom, fold.

import { badgeOf, icon } from "../icons.js";
import { kindOf, wordOf } from "./approval.js";
import { el, say, set } from "./dom.js";
import { OUTCOMES } from "./outcomes.js";
import { count } from "./text.js";

/** @param {object} on `{onFilter(predicate|null), onZoom(factor), onFit(), onCollapse(isAll)}` */
export function timelineTools({ onFilter, onZoom, onFit, onCollapse }) {
  const chosen = new Set();
  let isCriticalOnly = false;
  const field = el("input", { type: "search", placeholder: "Filter spans", "aria-label": "Filter spans by text", autocomplete: "off", spellcheck: "false" });
  const outcomes = el("div", { class: "chips", role: "group", "aria-label": "Filter by outcome" });
  const critical = chip("zap", "Critical path");
  const shown = el("span", { class: "quiet tools-shown", role: "status" });
  const buttons = el("div", { class: "tools-buttons", role: "group", "aria-label": "Zoom and fold" });
  buttons.append(
    tool("zoom-out", "Zoom out, −", () => onZoom(2)),
    tool("zoom-in", "Zoom in, +", () => onZoom(0.5)),
    tool("maximize-2", "The whole run, 0", onFit),
    tool("chevrons-down-up", "Collapse all", () => onCollapse(true)),
    tool("chevrons-up-down", "Expand all", () => onCollapse(false)),
  );
  const element = el("div", { class: "tools" }, field, outcomes, critical, shown);

  field.addEventListener("input", changed);
  critical.addEventListener("click", () => {
    isCriticalOnly = !isCriticalOnly;
    changed();
  });

  function changed() {
    set(critical, { "aria-pressed": String(isCriticalOnly) });
    for (const button of outcomes.children) set(button, { "aria-pressed": String(chosen.has(button.dataset.word)) });
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    const isAny = words.length > 0 || chosen.size > 0 || isCriticalOnly;
    onFilter(isAny ? (span, path) => fits(span, words) && (!chosen.size || chosen.has(span.outcome)) && (!isCriticalOnly || path.has(span.id)) : null);
  }

  function update(model, rows, isFiltered) {
    const counts = new Map();
    for (const { span } of model.byId.values()) if (span) counts.set(span.outcome, (counts.get(span.outcome) ?? 0) + 1);
    const present = OUTCOMES.filter((word) => counts.has(word) || chosen.has(word));
    if ([...outcomes.children].map((button) => button.dataset.word).join() !== present.join()) {
      outcomes.replaceChildren(...present.map(outcomeChip));
    }
    for (const button of outcomes.children) say(button.querySelector("b"), count(counts.get(button.dataset.word) ?? 0));
    say(shown, isFiltered ? `${count(rows)} of ${count(model.byId.size)} rows` : "");
  }

  function outcomeChip(word) {
    const { icon: name, word: text, role } = badgeOf(word);
    const button = chip(name, text, el("b"));
    set(button, { "data-word": word, "data-role": role, "aria-pressed": String(chosen.has(word)) });
    button.addEventListener("click", () => {
      if (!chosen.delete(word)) chosen.add(word);
      changed();
    });
    return button;
  }

  return { element, buttons, update, focus: () => field.focus() };
}

function chip(name, text, ...more) {
  return el("button", { type: "button", class: "chip", "aria-pressed": "false" }, icon(name), el("span", {}, text), ...more);
}

function tool(name, title, act) {
  const button = el("button", { type: "button", class: "icon-button", title, "aria-label": title.split(",")[0] }, icon(name));
  button.addEventListener("click", act);
  return button;
}

function fits(span, words) {
  const text = `${span.name} ${span.agent} ${kindOf(span)} ${span.phase} ${span.message} ${span.id} ${badgeOf(wordOf(span)).word}`.toLowerCase();
  return words.every((word) => text.includes(word));
}
