// Draws kept texts and JSON: redactions as pills, the cut as a cut, objects and arrays as a tree that folds.

import { copyButton } from "../copy.js";
import { icon } from "../icons.js";
import { hrefOf } from "./address.js";
import { el } from "./dom.js";
import { count, halves, parsed, pieces, sameOf } from "./text.js";

const MOST_NODES = 2000;
const OPEN_DEPTH = 3;
const OPEN_MEMBERS = 12;

/** A text with its redactions as pills. */
export function written(text) {
  return pieces(text).map((piece) =>
    piece.kind === "redaction" ? el("mark", { class: "redacted", title: "The console never kept it" }, piece.text) : piece.text,
  );
}

/** A section for a kept text in its shape on the wire; `label` is Arguments or Result, `link` makes a link to a span. */
export function keptText(label, shape, link = plainLink) {
  const same = sameOf(shape.text);
  if (same) return keptElsewhere(label, same, link);
  const title = el("h3", {}, label, " ", el("span", { class: "quiet" }, `${count(shape.chars)} character${shape.chars === 1 ? "" : "s"}`));
  const section = el("section", { class: "kept" }, title);
  if (shape.text) title.append(copyButton(() => shape.text, `the ${label.toLowerCase()}`));
  const value = parsed(shape);
  const cut = halves(shape);
  if (value !== undefined) section.append(tree(value));
  else if (cut.tail !== null) section.append(...cutText(label, cut));
  else if (shape.text) section.append(el("pre", { tabindex: 0, "aria-label": label }, ...written(shape.text)));
  else section.append(el("p", { class: "quiet" }, "Empty: the answer is nothing."));
  if (shape.sha256) section.append(digest(shape.sha256));
  return section;
}

function plainLink(id) {
  return el("a", { class: "mono", href: hrefOf({ span: id }) }, id);
}

function keptElsewhere(label, same, link) {
  const title = el("h3", {}, label, " ", el("span", { class: "quiet" }, `${count(same.chars)} characters`));
  const where = el("p", { class: "quiet" }, `The same as the ${same.place} of `, link(same.span), ", kept once.");
  return el("section", { class: "kept" }, title, where);
}

function cutText(label, { head, tail, leftOut }) {
  return [
    el("pre", { class: "kept-head", tabindex: 0, "aria-label": `${label}, its beginning` }, ...written(head)),
    el("p", { class: "cut-mark" }, icon("scissors"), el("span", {}, `[TRUNCATED ${count(leftOut)} characters]`)),
    el("pre", { class: "kept-tail", tabindex: 0, "aria-label": `${label}, its end` }, ...written(tail)),
  ];
}

function digest(sha256) {
  const code = el("code", { title: sha256 }, `${sha256.slice(0, 16)}…`);
  return el("p", { class: "digest quiet" }, "SHA-256 of the whole ", code, copyButton(() => sha256, "the digest"));
}

/** The tree of a JSON value. */
export function tree(value) {
  const budget = { left: MOST_NODES };
  return el("div", { class: "tree" }, node("", value, budget));
}

function node(key, value, budget, depth = 0) {
  budget.left -= 1;
  if (value === null || typeof value !== "object") return leaf(key, value);
  const entries = Object.entries(value);
  const size = Array.isArray(value) ? `[${entries.length}]` : `{ ${entries.length} }`;
  const summary = el("summary", {}, key !== "" && el("span", { class: "tree-key" }, key), el("span", { class: "quiet" }, size));
  const details = el("details", {}, summary);
  // Members are built when they are first seen: a result of ten thousand values opens at once.
  const fill = () => details.childElementCount === 1 && details.append(...entries.slice(0, MOST_NODES).map(([name, item]) => node(name, item, budget, depth + 1)));
  details.addEventListener("toggle", () => details.open && fill());
  if (depth === 0 || (depth < OPEN_DEPTH && entries.length <= OPEN_MEMBERS && budget.left > 0)) {
    details.open = true;
    fill();
  }
  return details;
}

function leaf(key, value) {
  const type = typeof value === "string" ? "text" : typeof value === "number" ? "number" : "word";
  const text = type === "text" ? written(value) : [String(value)];
  return el("p", { class: "tree-leaf" }, el("span", { class: "tree-key" }, key), el("span", { class: "tree-value", "data-type": type }, ...text));
}
