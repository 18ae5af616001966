// The console's own spans: the run waited for a person to decide on an action. No agent can write one.

import { icon } from "../icons.js";
import { el } from "./dom.js";

/** What a span is, in a word. */
export const kindOf = (span) => (span.approval ? "approval" : span.kind);

/** What became of a span, as its badge has it: a wait that ended well was approved. */
export const wordOf = (span) => (span.approval && span.outcome === "ok" ? "approved" : span.outcome);

const isOpen = (span) => span.outcome === "waiting";
const address = (span) => `/approvals/${encodeURIComponent(span.approval)}/`;

/** The link of a row to where the action is decided, null for any other span. It leaves the page. */
export function rowLink(span) {
  if (!span.approval) return null;
  return el("a", { class: "span-mark", href: address(span), tabindex: -1, "data-leaves": true }, isOpen(span) ? "decide" : "decision");
}

/** The link of the drawer, null for any other span. */
export function drawerLink(span) {
  if (!span.approval) return null;
  const name = isOpen(span) ? "button primary" : "button";
  return el("p", {}, el("a", { class: name, href: address(span) }, icon("hand"), el("span", {}, isOpen(span) ? "Decide" : "The decision")));
}
