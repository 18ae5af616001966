// The health dot in the top bar and the banner above every page: what the readiness probe answers, asked again while
// somebody looks.

const ASK_EVERY_MS = 15000;
const LOOKS = { ready: "live", not_ready: "off", draining: "wait", unknown: "off" };
const WORDS = { ready: "ready", not_ready: "not ready", draining: "stopping", unknown: "health unknown" };
const SIGNED_OUT = "You are signed out: this page no longer hears how the console is.";

/** Keeps dot and banner true; a console that can't be asked shows as unknown, never as ready. */
export function keepHealth(dot = document.getElementById("health-dot"), banner = document.getElementById("health-banner")) {
  const path = banner?.dataset.asks ?? dot?.dataset.asks;
  if (!path) return;
  let awaySince = null;
  const ask = async () => {
    const state = await stateOf(path);
    awaySince = state.status === "unknown" ? (awaySince ?? new Date()) : null;
    if (dot) showDot(dot, state.status);
    if (banner) showBanner(banner, state.status, state.banner ?? silence(awaySince));
  };
  setInterval(() => document.hidden || ask(), ASK_EVERY_MS);
  document.addEventListener("visibilitychange", () => document.hidden || ask());
}

async function stateOf(path) {
  try {
    const answer = await fetch(path, { headers: { Accept: "application/json" } });
    if (answer.redirected) return { status: "unknown", banner: SIGNED_OUT };
    return answer.ok ? await answer.json() : { status: "unknown" };
  } catch {
    return { status: "unknown" };
  }
}

function silence(since) {
  return `The console does not answer since ${since.toISOString().slice(11, 19)} UTC: what this page shows may be out of date.`;
}

function showDot(dot, status) {
  dot.dataset.state = LOOKS[status] ?? "off";
  dot.querySelector("[data-health-word]").textContent = WORDS[status] ?? WORDS.unknown;
}

// The region itself is always there: what changes in it is read out.
function showBanner(banner, status, sentence) {
  const notice = banner.querySelector(".notice");
  const words = notice.querySelector("[data-health-banner]");
  if (words.textContent !== sentence) words.textContent = sentence;
  notice.dataset.role = status === "draining" ? "slow" : "error";
  notice.hidden = !sentence || (status !== "unknown" && "onlyAway" in banner.dataset);
}
