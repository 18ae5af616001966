// The drawer of a chosen span: what is known of it at once from the log, its arguments and result as soon as they are read.

import { copyButton } from "../copy.js";
import { badge, icon } from "../icons.js";
import { durationText, exactText } from "../time.js";
import { el } from "./dom.js";
import { kindIcon } from "./row.js";
import { scaleOf } from "./scale.js";
import { keptText, tree, written } from "./value.js";

/** @param {object} page `{spanUrl, hrefOf(id|null), close(), open(id)}` */
export function drawerView(page) {
  const body = document.getElementById("run-body");
  let element = document.getElementById("run-drawer");
  let shown = null;
  let asked = null;

  /** Shows a node of the model; null while the span of this id is not here yet. */
  async function show(id, node) {
    const state = `${id} ${node?.span.seq ?? ""}`;
    if (state === shown) return;
    const isOther = !shown?.startsWith(`${id} `);
    shown = state;
    if (isOther || !node) draw(id, node, null);
    if (!node) return;
    asked?.abort();
    asked = new AbortController();
    try {
      const answer = await fetch(page.spanUrl + id, { signal: asked.signal, headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error(`the console answered ${answer.status}`);
      draw(id, node, await answer.json());
    } catch (error) {
      if (error.name !== "AbortError") draw(id, node, null, `Arguments and result can't be read: ${error.message}.`);
    }
  }

  function draw(id, node, whole, failure = "") {
    const next = el("aside", { class: "drawer", id: "run-drawer", "aria-labelledby": "drawer-title" });
    next.append(head(id, node, whole), node ? el("div", { class: "drawer-body" }, ...content(node, whole, failure)) : notHere());
    const at = element?.querySelector(".drawer-body")?.scrollTop ?? 0;
    if (element) element.replaceWith(next);
    else body.append(next);
    next.querySelector(".drawer-body")?.scrollTo(0, at);
    element = next;
  }

  function head(id, node, whole) {
    const close = el("button", { type: "button", class: "icon-button", "aria-label": "Close the drawer, Esc" }, icon("x"));
    close.addEventListener("click", page.close);
    const title = el("h2", { id: "drawer-title", tabindex: -1 }, node ? node.span.name : `Span ${id}`);
    const copy = node && copyButton(() => JSON.stringify(whole ?? node.span, null, 2), "the span as JSON");
    if (copy) copy.append(el("span", { class: "sr" }, "JSON"));
    return el("header", { class: "drawer-head" }, node && kindIcon(node.span.kind), title, copy, close);
  }

  function content({ span, start, end }, whole, failure) {
    return [
      el("p", { class: "row" }, badge(span.outcome), whole?.retryable && el("span", { class: "quiet" }, "may be retried")),
      span.message && el("p", { class: "drawer-message" }, ...written(span.message)),
      whole?.hint && hint(whole.hint),
      scaleOf(span, end === null ? null : end - start),
      facts(span, start, end, whole),
      failure && el("p", { class: "notice", "data-role": "error", role: "alert" }, icon("circle-alert"), el("span", {}, failure)),
      !whole && !failure && el("p", { class: "quiet" }, "Reading arguments and result …"),
      whole?.arguments && keptText("Arguments", whole.arguments),
      whole?.result && keptText("Result", whole.result),
      whole && !whole.result && el("p", { class: "quiet" }, "No result was reported."),
      whole && Object.keys(whole.attributes).length > 0 && el("section", { class: "kept" }, el("h3", {}, "Attributes"), tree(whole.attributes)),
    ].filter(Boolean);
  }

  function facts(span, start, end, whole) {
    const rows = [
      ["Started", exactText(start)],
      ["Ended", end === null ? "not yet" : exactText(end)],
      ["Took", end === null ? null : durationText(Math.max(end - start, 0))],
      ["Phase", span.phase],
      ["Agent", span.agent],
      ["Parent", span.parent && spanLink(span.parent)],
      ["Span", el("code", {}, span.id), copyButton(() => span.id, "the span ID")],
      ["Trace", whole?.trace_id && el("code", {}, whole.trace_id), copyButton(() => whole.trace_id, "the trace ID")],
    ];
    const shownRows = rows.filter(([, value]) => value);
    return el("dl", { class: "facts" }, ...shownRows.flatMap(([name, ...values]) => [el("dt", {}, name), el("dd", {}, ...values)]));
  }

  function spanLink(id) {
    const link = el("a", { class: "mono", href: page.hrefOf(id) }, id);
    link.addEventListener("click", (event) => {
      event.preventDefault();
      page.open(id);
    });
    return link;
  }

  return {
    show,
    isOpen: () => element !== null,
    focus: () => element?.querySelector("h2").focus(),
    hide() {
      asked?.abort();
      element?.remove();
      element = shown = null;
    },
  };
}

function hint({ fallback_to: fallback, reason }) {
  return el("p", { class: "drawer-hint" }, icon("corner-down-right"), "Instead: ", el("b", {}, fallback), `, ${reason}`);
}

function notHere() {
  return el("div", { class: "state" }, icon("circle-help"), el("p", {}, "No span of this ID was received in this run."));
}
