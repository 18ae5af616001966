// The small bar that says where a run's time went.
import { durationText } from "../time.js";

const SVG = "http://www.w3.org/2000/svg";

/** Draws `pieces` ({phase, colour, left, width, milliseconds}) of a stretch of `length` milliseconds into a cell. */
export function drawBar(cell, pieces, length) {
  if (!pieces.length) return cell.replaceChildren();
  const bar = document.createElementNS(SVG, "svg");
  const title = document.createElementNS(SVG, "title");
  const words = pieces.map((piece) => `${piece.phase} ${durationText(piece.milliseconds)}`);
  title.textContent = words.join(" · ");
  for (const [name, value] of Object.entries({
    class: "bar", viewBox: "0 0 100 8", preserveAspectRatio: "none", role: "img", "aria-label": words.join(", "),
  })) bar.setAttribute(name, value);
  bar.dataset.length = length;
  bar.append(title, ...pieces.map(rect));
  cell.replaceChildren(bar);
}

/** Lets the bar of a run that is going on grow to `length` milliseconds: its last phase takes what was added. */
export function stretchBar(bar, length) {
  const rects = [...bar.querySelectorAll("rect")];
  const scale = Number(bar.dataset.length) / length;
  if (!rects.length || !(scale > 0 && scale < 1)) return;
  for (const one of rects) place(one, at(one, "x") * scale, at(one, "width") * scale);
  const last = rects.at(-1);
  place(last, at(last, "x"), 100 - at(last, "x"));
  bar.dataset.length = length;
}

function rect({ colour, left, width }) {
  const made = document.createElementNS(SVG, "rect");
  made.dataset.phase = colour;
  made.setAttribute("y", "0");
  made.setAttribute("height", "8");
  place(made, left, width);
  return made;
}

const at = (one, name) => Number(one.getAttribute(name));

function place(one, x, width) {
  one.setAttribute("x", x.toFixed(2));
  one.setAttribute("width", width.toFixed(2));
}
