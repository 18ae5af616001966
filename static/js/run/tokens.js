// The tokens tab: the run's trace events as a log, windowed, filtered as you type.

import { announce } from "../announce.js";
import { copyButton } from "../copy.js";
import { badge, icon } from "../icons.js";
import { exactText } from "../time.js";
import { hrefOf } from "./address.js";
import { el, say, set } from "./dom.js";
import { inOrder } from "./store.js";
import { spanLink } from "./span.js";
import { count } from "./text.js";
import { written } from "./value.js";
import { windowed } from "./windowed.js";

/** @param {object} page `{requestId(), open(changes)}` */
export function tokensView(panel, page) {
  let all = [];
  let shown = [];
  let indexes = null;
  const field = el("input", { type: "search", placeholder: "Filter tokens", "aria-label": "Filter tokens by token, text, level or field", autocomplete: "off", spellcheck: "false" });
  const sum = el("span", { class: "quiet tools-shown", role: "status" });
  const list = el("div", { class: "span-rows", role: "rowgroup" });
  const head = el("div", { class: "token-row span-head", role: "row" }, ...["Time", "Level", "Token", "Fields"].map((title) => el("span", { role: "columnheader" }, title)));
  const log = el("div", { class: "token-log", role: "table", "aria-label": "Trace events of this run" }, head, list);
  const none = el("div", { class: "state", hidden: true }, icon("text-search"), el("h2"), el("p", {}, "The run's trace events stand here as soon as the agent reports one."));
  const grep = el("code", {});
  const tools = el("div", { class: "tools" }, field, sum, el("span", { class: "grep" }, grep, copyButton(() => grep.textContent, "as grep")));
  panel.replaceChildren(el("section", { class: "tokens", "aria-label": "Tokens" }, tools, log, none));
  const height = () => Number.parseFloat(getComputedStyle(log).getPropertyValue("--row-height"));
  const rowWindow = windowed(list, { height, keyOf: (index) => shown[index].id, render });

  function render(index, element) {
    const event = shown[index];
    const row = element ?? rowOf(event);
    return set(row, { "aria-rowindex": index + 2 });
  }

  function rowOf(event) {
    const token = el("a", { class: "mono", href: `/traces/?token=${encodeURIComponent(event.token)}`, title: "Everywhere it occurred" }, event.token);
    const fields = el("span", { role: "cell", class: "token-fields" }, ...written(event.message), ...fieldsOf(event.fields));
    fields.title = [event.message, ...Object.entries(event.fields).map(([name, value]) => `${name}=${plain(value)}`)].filter(Boolean).join("\n");
    if (event.span) fields.append(" ", spanLink(event.span, page, "span"));
    return el(
      "div",
      { class: "token-row", role: "row", "data-level": event.level, "data-id": event.id },
      el("span", { role: "cell", class: "token-time", title: exactText(event.at) }, el("a", { href: hrefOf({ event: event.id }) }, event.at.slice(11, 23))),
      el("span", { role: "cell" }, badge(event.level)),
      el("span", { role: "cell" }, token),
      fields,
    );
  }

  /** Shows the events of a store; rows themselves never change. */
  function update(events) {
    if (events.size !== all.length) {
      all = inOrder(events);
      filter();
    } else rowWindow.paint();
  }

  function filter() {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    shown = words.length ? all.filter((event) => words.every((word) => textOf(event).includes(word))) : all;
    indexes = null;
    say(sum, words.length ? `${count(shown.length)} of ${count(all.length)}` : "");
    say(none.querySelector("h2"), words.length ? "No token matches" : "No token yet");
    none.hidden = shown.length > 0;
    log.hidden = shown.length === 0;
    say(grep, `grep -hF '${page.requestId()}' *.log${words.length === 1 ? ` | grep -iF '${words[0].replaceAll("'", "")}'` : ""}`);
    rowWindow.show(shown.length, indexOf);
  }

  function indexOf(id) {
    indexes ??= new Map(shown.map((event, index) => [event.id, index]));
    return indexes.get(id) ?? -1;
  }

  list.addEventListener("click", (event) => {
    const id = event.target.closest("[data-id]")?.dataset.id;
    if (!id || event.defaultPrevented || event.target.closest("a.mono") || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    page.open({ event: id });
  });
  field.addEventListener("input", () => {
    filter();
    announce(`${count(shown.length)} tokens`);
  });
  return { update, focusFilter: () => field.focus() };
}

// Filtering a hundred thousand events as one types: the text of an event is made once.
const texts = new WeakMap();

function textOf(event) {
  if (!texts.has(event)) texts.set(event, `${event.token} ${event.level} ${event.message} ${JSON.stringify(event.fields)}`.toLowerCase());
  return texts.get(event);
}

function fieldsOf(fields) {
  return Object.entries(fields).flatMap(([name, value]) => [" ", el("span", { class: "field" }, el("b", {}, name), "=", ...written(plain(value)))]);
}

function plain(value) {
  return typeof value === "string" ? value : JSON.stringify(value);
}
