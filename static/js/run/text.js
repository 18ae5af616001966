// Reading kept texts for display: redactions, the cut, and JSON where it is JSON. The text itself is never changed.

const REDACTION = /\[REDACTED:([A-Za-z0-9_.-]{1,64})\]/g;
const SAME = /^\{"same_as": "([0-9a-f]{16})\.([^"]{1,500})", "chars": (\d{1,9})\}$/;
const LARGEST_TREE = 200_000;

/** A text in pieces: `{kind: "text", text}` and `{kind: "redaction", text, detector}`. */
export function pieces(text) {
  const found = [];
  let end = 0;
  for (const hit of text.matchAll(REDACTION)) {
    if (hit.index > end) found.push({ kind: "text", text: text.slice(end, hit.index) });
    found.push({ kind: "redaction", text: hit[0], detector: hit[1] });
    end = hit.index + hit[0].length;
  }
  if (end < text.length) found.push({ kind: "text", text: text.slice(end) });
  return found;
}

/**
 * A kept text at its cut: `{head, tail, left_out}`, with `tail` null where nothing was cut. The wire counts code points,
 * JavaScript counts UTF-16 units: an emoji before the cut would move it.
 */
export function halves({ text, cut_at: cutAt, cut_chars: leftOut }) {
  if (cutAt === null) return { head: text, tail: null, leftOut: 0 };
  const points = [...text];
  const marker = `[TRUNCATED ${leftOut} chars]`;
  const isMarked = points.slice(cutAt, cutAt + marker.length).join("") === marker;
  return {
    head: points.slice(0, cutAt).join(""),
    tail: points.slice(cutAt + (isMarked ? marker.length : 0)).join(""),
    leftOut,
  };
}

/** The value of a text that is a JSON object or array, else undefined: a cut text, a plain one, a very long one. */
export function parsed({ text, cut_at: cutAt }) {
  if (cutAt !== null || text.length > LARGEST_TREE || !/^\s*[[{]/.test(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Where a text is kept that was told several times: `{span, place, chars}`, or null if this is no reference to one. */
export function sameOf(text) {
  const found = SAME.exec(text);
  return found && { span: found[1], place: found[2], chars: Number(found[3]) };
}

/** A whole number with separators: `41,203`. */
export function count(number) {
  return number.toLocaleString("en-US");
}
