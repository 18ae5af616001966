// The drawer beside the run: one chosen span or event at a time.

import { copyButton } from "../copy.js";
import { icon } from "../icons.js";
import { el } from "./dom.js";
import { eventBody } from "./event.js";
import { kindOf } from "./approval.js";
import { kindIcon } from "./row.js";
import { spanBody } from "./span.js";

/** @param {object} page `{read(spanId, signal), open(changes), close()}` */
export function drawerView(page) {
  const body = document.getElementById("run-body");
  let element = document.getElementById("run-drawer");
  let shown = null;
  let asked = null;

  /** Shows a node of the model; undefined while the span of this id is not here yet. Reads the rest of it. */
  async function showSpan(id, node) {
    const state = `span ${id} ${node?.span?.seq ?? ""}`;
    if (state === shown) return;
    const isOther = !shown?.startsWith(`span ${id} `);
    shown = state;
    asked?.abort();
    if (!node?.span) return draw(id, null, [notHere("Nothing of this ID was received in this run.")]);
    const kind = kindIcon(kindOf(node.span));
    if (isOther) draw(node.span.name, node.span, spanBody(node, null, page), kind);
    asked = new AbortController();
    const { signal } = asked;
    try {
      const whole = await page.read(id, signal);
      draw(node.span.name, whole, spanBody(node, whole, page), kind);
    } catch (error) {
      if (!signal.aborted) draw(node.span.name, node.span, spanBody(node, null, page, error.message), kind);
    }
  }

  /** Shows an event of the log; undefined while it is not here yet. */
  function showEvent(id, event) {
    const state = `event ${id} ${Boolean(event)}`;
    if (state === shown) return;
    shown = state;
    asked?.abort();
    if (event) draw(event.token, event, eventBody(event, page));
    else draw(id, null, [notHere("Nothing of this ID was received in this run.")]);
  }

  function draw(title, data, content, mark = null) {
    const next = el("aside", { class: "drawer", id: "run-drawer", "aria-labelledby": "drawer-title" });
    next.append(head(title, data, mark), el("div", { class: "drawer-body" }, ...content));
    const at = element?.querySelector(".drawer-body")?.scrollTop ?? 0;
    const hadFocus = element?.contains(document.activeElement);
    if (element) element.replaceWith(next);
    else body.append(next);
    next.querySelector(".drawer-body").scrollTo(0, at);
    element = next;
    if (hadFocus) focus();
  }

  function head(title, data, mark) {
    const close = el("button", { type: "button", class: "icon-button", "aria-label": "Close the drawer", title: "Close, Esc" }, icon("x"));
    close.addEventListener("click", page.close);
    const copy = data && copyButton(() => JSON.stringify(data, null, 2), "as JSON");
    return el("header", { class: "drawer-head" }, mark, el("h2", { id: "drawer-title", tabindex: -1 }, title), copy && el("span", { class: "quiet" }, "JSON"), copy, close);
  }

  function focus() {
    element?.querySelector("h2").focus();
  }

  return {
    showSpan,
    showEvent,
    focus,
    isOpen: () => element !== null,
    hide() {
      asked?.abort();
      element?.remove();
      element = shown = null;
    },
  };
}

function notHere(sentence) {
  return el("div", { class: "state" }, icon("circle-help"), el("p", {}, sentence));
}
