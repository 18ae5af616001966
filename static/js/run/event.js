// A trace event in the drawer.

import { copyButton } from "../copy.js";
import { badge } from "../icons.js";
import { exactText } from "../time.js";
import { el } from "./dom.js";
import { factList, spanLink } from "./span.js";
import { tree, written } from "./value.js";

/** @param {object} page `{open(changes)}` */
export function eventBody(event, page) {
  return [
    el("p", { class: "row" }, badge(event.level), el("a", { href: `/traces/?token=${encodeURIComponent(event.token)}` }, "Everywhere it occurred")),
    event.message && el("p", { class: "drawer-message" }, ...written(event.message)),
    factList([
      ["At", exactText(event.at)],
      ["Span", event.span && spanLink(event.span, page)],
      ["Event", el("code", {}, event.id), copyButton(() => event.id, "the event ID")],
    ]),
    Object.keys(event.fields).length > 0 && el("section", { class: "kept" }, el("h3", {}, "Fields"), tree(event.fields)),
  ].filter(Boolean);
}
