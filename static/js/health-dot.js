// The health dot in the top bar: what the readiness probe answers, asked again while somebody looks.

const ASK_EVERY_MS = 15000;
const LOOKS = { ready: "live", not_ready: "off", draining: "wait", unknown: "off" };
const WORDS = { ready: "ready", not_ready: "not ready", draining: "stopping", unknown: "health unknown" };

/** Keeps the dot true; a console that can't be asked shows as unknown, never as ready. */
export function keepHealth(dot = document.getElementById("health-dot")) {
  if (!dot) return;
  const ask = async () => show(dot, await statusOf(dot.dataset.asks));
  setInterval(() => document.hidden || ask(), ASK_EVERY_MS);
  document.addEventListener("visibilitychange", () => document.hidden || ask());
}

async function statusOf(path) {
  try {
    const answer = await fetch(path, { headers: { Accept: "application/json" } });
    return answer.ok ? (await answer.json()).status : "unknown";
  } catch {
    return "unknown";
  }
}

function show(dot, status) {
  dot.dataset.state = LOOKS[status] ?? "off";
  dot.querySelector("[data-health-word]").textContent = WORDS[status] ?? WORDS.unknown;
}
