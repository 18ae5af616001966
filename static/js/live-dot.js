// The dot in the top bar: live, catching up, or offline and since when.

const WORDS = { live: "live", "catching up": "catching up" };
const LOOKS = { live: "live", "catching up": "wait", offline: "off" };

/** Shows a state of live.js. */
export function showState({ name, since }) {
  const dot = document.getElementById("live");
  if (!dot) return;
  dot.hidden = false;
  dot.dataset.state = LOOKS[name];
  dot.querySelector("[data-live-word]").textContent = WORDS[name] ?? `offline since ${clock(since)}`;
  dot.title = `${name} since ${since.toISOString().replace("T", " ").slice(0, 19)} UTC`;
}

function clock(at) {
  return at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });
}
