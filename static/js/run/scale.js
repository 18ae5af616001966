// A call's attempts drawn against its limits, all on one scale.

import { badge, badgeOf } from "../icons.js";
import { durationText } from "../time.js";
import { el, svg } from "./dom.js";
import { written } from "./value.js";

const THINNEST = 0.4;

/** The drawing, or null for a span that has neither attempts nor an end and a limit. `took` is in milliseconds or null. */
export function scaleOf(span, took) {
  const known = span.attempts.length || took === null || span.hard_ms === null;
  const tries = known ? span.attempts : [{ elapsed_ms: took, outcome: span.outcome }];
  if (!tries.length) return null;
  const longest = Math.max(...tries.map((attempt) => attempt.elapsed_ms), span.hard_ms ?? 0, span.soft_ms ?? 0, 1);
  const share = (ms) => `${Math.max((ms / longest) * 100, THINNEST)}%`;
  const rows = tries.map((attempt, index) => {
    const { role } = badgeOf(attempt.outcome);
    const chart = svg("svg", { width: "100%", height: 18, "aria-hidden": "true" });
    chart.append(svg("rect", { class: "bar", "data-role": role, "data-word": attempt.outcome, width: share(attempt.elapsed_ms), y: 4, height: 10, rx: 2 }));
    for (const [name, ms] of [["soft", span.soft_ms], ["hard", span.hard_ms]]) {
      if (ms !== null) chart.append(svg("line", { class: name, x1: share(ms), x2: share(ms), y2: 18 }));
    }
    const outcome = el("span", { class: "row" }, badge(attempt.outcome), el("span", { class: "numbers" }, durationText(attempt.elapsed_ms)));
    const message = attempt.message && el("p", { class: "quiet" }, ...written(attempt.message));
    return el("div", { class: "scale-row" }, el("span", { class: "quiet" }, `attempt ${index + 1}`), chart, outcome, message);
  });
  if (span.hard_ms !== null) {
    const soft = span.soft_ms === null ? "" : `slow after ${durationText(span.soft_ms)}, `;
    rows.push(el("p", { class: "quiet" }, `budget: ${soft}cancelled after ${durationText(span.hard_ms)}`));
  }
  return el("section", { class: "scale", "aria-label": "Attempts and budget" }, ...rows);
}
