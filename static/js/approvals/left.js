// Counts down what [data-left] says, and makes the last minute plain.
const SOON_MS = 60000;

/** Keeps every countdown of the page true. */
export function countDown() {
  setInterval(() => document.querySelectorAll("[data-left]").forEach(show), 1000);
}

function show(time) {
  const ms = Date.parse(time.dateTime) - Date.now();
  time.textContent = ms > 0 ? `${inWords(ms)} left` : "no time left";
  time.toggleAttribute("data-soon", ms < SOON_MS);
}

/** `42 s`, `4 min 10 s`, `2 h 5 min`, `3 d 1 h`. */
export function inWords(ms) {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return two(seconds, 60, "min", 1, "s");
  if (seconds < 86400) return two(seconds, 3600, "h", 60, "min");
  return two(seconds, 86400, "d", 3600, "h");
}

function two(seconds, length, unit, part, partUnit) {
  const rest = Math.floor((seconds % length) / part);
  return `${Math.floor(seconds / length)} ${unit}${rest ? ` ${rest} ${partUnit}` : ""}`;
}
