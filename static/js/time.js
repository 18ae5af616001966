// Says times and durations as runs/wording.py does, and keeps those on the page fresh.

/** Microsecond times of the wire as milliseconds with a fraction: `Date` alone would drop the last three digits. */
export function millis(iso) {
  if (!iso) return null;
  const micros = /\.\d{3}(\d{3})Z$/.exec(iso);
  return Date.parse(iso) + (micros ? Number(micros[1]) / 1000 : 0);
}

/** A duration with its units, two at most. */
export function durationText(inexact) {
  // Differences of `millis` are off by up to 0.0003: 40 ms must not read 39.
  const milliseconds = Math.round(inexact * 1000) / 1000;
  if (milliseconds < 1000) return `${Math.trunc(milliseconds)} ms`;
  if (milliseconds < 10000) return `${(Math.trunc(milliseconds / 100) / 10).toFixed(1)} s`;
  const seconds = Math.trunc(milliseconds / 1000);
  if (seconds < 60) return `${seconds} s`;
  const [unit, size, part, partSize] =
    seconds < 3600 ? ["min", 60, "s", 1] : seconds < 86400 ? ["h", 3600, "min", 60] : ["d", 86400, "h", 3600];
  const rest = Math.trunc((seconds % size) / partSize);
  return `${Math.trunc(seconds / size)} ${unit}${rest ? ` ${rest} ${part}` : ""}`;
}

/** How long ago, in one unit. */
export function relativeText(at, now = Date.now()) {
  const seconds = (now - at) / 1000;
  const size = Math.abs(seconds);
  if (size < 1) return "now";
  const [unit, length] = size < 60 ? ["s", 1] : size < 3600 ? ["min", 60] : size < 86400 ? ["h", 3600] : ["d", 86400];
  const amount = `${Math.trunc(size / length)} ${unit}`;
  return seconds > 0 ? `${amount} ago` : `in ${amount}`;
}

/** The exact time in UTC, to the millisecond. */
export function exactText(at) {
  return `${new Date(at).toISOString().slice(0, 23).replace("T", " ")} UTC`;
}

/** A `<time>` that stays fresh: `kind` is "when" (4 min ago) or "elapsed" (4 min 2 s, counting). */
export function timeElement(iso, kind = "when") {
  const element = document.createElement("time");
  element.dateTime = iso;
  element.dataset[kind] = "";
  element.title = kind === "when" ? exactText(iso) : `since ${exactText(iso)}`;
  refresh(element);
  return element;
}

function refresh(element) {
  const at = Date.parse(element.dateTime);
  const text = "when" in element.dataset ? relativeText(at) : durationText(Math.max(Date.now() - at, 0));
  if (element.textContent !== text) element.textContent = text;
}

/** Refreshes every time on the page once a second, while somebody looks. */
export function keepFresh() {
  const all = () => document.querySelectorAll("time[data-when], time[data-elapsed]").forEach(refresh);
  setInterval(() => document.visibilityState === "visible" && all(), 1000);
  document.addEventListener("visibilitychange", all);
}
