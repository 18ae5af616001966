// A span's bar on the time axis: attempts as segments, limits as marks, its part of the critical path as a line under it.

import { badgeOf } from "../icons.js";
import { millis } from "../time.js";
import { percent, stretch } from "./axis.js";
import { set, svg } from "./dom.js";

const THINNEST = 0.15;

/** The pieces of a row's track, as SVG elements. */
export function barOf(node, { view, to, critical }) {
  if (!node.span) return [];
  const { span, start } = node;
  const end = node.end ?? to;
  if (end < view.from) return [svg("text", { x: 0, y: "65%" }, "‹")];
  if (start > view.to) return [svg("text", { x: "100%", y: "65%", "text-anchor": "end" }, "›")];
  const pieces = [span.approval ? wait(span, view, start, end) : piece("bar", span.outcome, view, start, end, node.end === null)];
  if (span.attempts.length > 1) {
    for (const attempt of span.attempts) {
      const from = millis(attempt.at);
      pieces.push(piece("attempt", attempt.outcome, view, from, from + attempt.elapsed_ms));
    }
  }
  for (const [from, until] of critical.get(node.id) ?? []) pieces.push(line(view, from, until));
  return [...pieces, ...limits(node, view)].filter(Boolean);
}

function piece(name, word, view, from, to, isOpen = false) {
  const part = stretch(view, from, to);
  if (!part) return null;
  return svg("rect", {
    class: isOpen ? `${name} open` : name,
    "data-word": word,
    "data-role": badgeOf(word).role,
    x: `${Math.min(part.x, 100 - THINNEST)}%`,
    width: `${Math.max(part.width, THINNEST)}%`,
    y: "25%",
    height: "50%",
    rx: 2,
  });
}

/** A wait on a person is hatched, as it is in the ribbon. */
function wait(span, view, from, to) {
  const bar = piece("bar-wait", span.outcome, view, from, to);
  return bar && set(bar, { fill: "url(#hatching)" });
}

function line(view, from, to) {
  const part = stretch(view, from, to);
  return part && svg("rect", { class: "critical", x: `${part.x}%`, width: `${Math.max(part.width, THINNEST)}%`, y: "84%", height: 2 });
}

/** Limits count from the last attempt on: each attempt has the whole budget. */
function limits({ span, start }, view) {
  const last = span.attempts[span.attempts.length - 1];
  const from = last ? millis(last.at) : start;
  return [["soft", span.soft_ms], ["hard", span.hard_ms]].map(([name, ms]) => {
    if (ms === null || from + ms < view.from || from + ms > view.to) return null;
    const x = `${percent(view, from + ms)}%`;
    return svg("line", { class: name, x1: x, x2: x, y1: "12%", y2: "88%" });
  });
}
