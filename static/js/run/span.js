// A span in the drawer: what the log tells of it at once; its arguments, result and attributes once they are read.

import { copyButton } from "../copy.js";
import { badge, icon } from "../icons.js";
import { durationText, exactText } from "../time.js";
import { hrefOf } from "./address.js";
import { drawerLink, wordOf } from "./approval.js";
import { el } from "./dom.js";
import { scaleOf } from "./scale.js";
import { count } from "./text.js";
import { keptText, tree, written } from "./value.js";

/** @param {object|null} whole the span with all that is kept of it, null before it is read; `failure` says why it can't be */
export function spanBody({ span, start, end }, whole, page, failure = "") {
  return [
    el("p", { class: "row" }, badge(wordOf(span)), whole?.retryable && el("span", { class: "quiet" }, "may be retried")),
    span.message && el("p", { class: "drawer-message" }, ...written(span.message)),
    drawerLink(span),
    whole?.hint && hint(whole.hint),
    scaleOf(span, end === null ? null : end - start),
    facts(span, start, end, whole, page),
    failure && el("p", { class: "notice", "data-role": "error", role: "alert" }, icon("circle-alert"), el("span", {}, `Arguments and result can't be read: ${failure}.`)),
    !whole && !failure && el("p", { class: "quiet" }, "Reading arguments and result …"),
    whole?.arguments && keptText("Arguments", whole.arguments, (id) => spanLink(id, page)),
    whole?.result && keptText("Result", whole.result, (id) => spanLink(id, page)),
    whole && !whole.result && !span.approval && el("p", { class: "quiet" }, "No result was reported."),
    whole && Object.keys(whole.attributes).length > 0 && attributes(whole),
    whole?.mapped && mapped(whole.mapped, page),
  ].filter(Boolean);
}

function hint({ fallback_to: fallback, reason }) {
  return el("p", { class: "drawer-hint" }, icon("corner-down-right"), "Instead: ", el("b", {}, fallback), `, ${reason}`);
}

function facts(span, start, end, whole, page) {
  return factList([
    ["Started", exactText(start)],
    ["Ended", end === null ? "not yet" : exactText(end)],
    ["Took", end === null ? null : durationText(end - start)],
    ["Phase", span.phase],
    ["Agent", span.agent],
    ["Parent", span.parent && spanLink(span.parent, page)],
    ["Span", el("code", {}, span.id), copyButton(() => span.id, "the span ID")],
    ["Call", whole?.mapped?.call_id && el("code", {}, whole.mapped.call_id), copyButton(() => whole.mapped.call_id, "the call ID")],
    ["Part of", whole?.mapped?.part_of && spanLink(whole.mapped.part_of, page)],
    ["Trace", whole?.trace_id && el("code", {}, whole.trace_id), copyButton(() => whole.trace_id, "the trace ID")],
  ]);
}

function attributes({ attributes: found, attributes_left_out: leftOut }) {
  const note = leftOut > 0 && el("p", { class: "cut-mark" }, icon("scissors"), el("span", {}, `${count(leftOut)} characters of attributes were more than a span may have`));
  return el("section", { class: "kept" }, el("h3", {}, "Attributes"), tree(found), note);
}

/** Why a span that came by OTLP is shown as it is. */
function mapped({ role, rules, taken_from: taken }, page) {
  const rows = Object.entries(rules).map(([field, rule]) => [field, el("span", { class: "mono" }, rule)]);
  const givers = Object.entries(taken).map(([column, giver]) => [column, "taken from ", spanLink(giver, page)]);
  return el("section", { class: "kept" }, el("h3", {}, "Mapped as ", el("span", { class: "quiet" }, role)), factList([...rows, ...givers]));
}

/** Names with values; a row without a value is left out. */
export function factList(rows) {
  const known = rows.filter(([, value]) => value);
  return el("dl", { class: "facts" }, ...known.flatMap(([name, ...values]) => [el("dt", {}, name), el("dd", {}, ...values)]));
}

/** A link that opens a span in the drawer. */
export function spanLink(id, page, text = id) {
  const link = el("a", { class: "mono", href: hrefOf({ span: id }) }, text);
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    page.open({ span: id });
  });
  return link;
}
