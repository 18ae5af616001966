// Brings in the run's log: its past in pages, in the background; what happens from now on by the live socket.
// The two meet in the store in any order.

import { icon } from "../icons.js";
import { subscribe } from "../live.js";
import { el } from "./dom.js";

const PAGE = 1000;
const RETRY_MS = 2000;

/**
 * @param {object} boot the page's first data
 * @param {object} on `{onLog(log), onLoaded()}`
 */
export async function load(boot, { onLog, onLoaded }) {
  subscribe(`run:${boot.run.id}`, { after: boot.seq, onFrame: onLog });
  for (let after = 0; after < boot.seq; ) {
    const log = await patiently(() => pageAfter(boot.log, after));
    onLog(log);
    after = log.more ? log.seq : boot.seq;
  }
  onLoaded();
}

async function pageAfter(url, after) {
  const answer = await fetch(`${url}?after=${after}&limit=${PAGE}`, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`the console answered ${answer.status}`);
  return answer.json();
}

/** Tries until it works, and says on the page what it waits for. */
async function patiently(ask) {
  const sentence = el("span");
  const notice = el("p", { class: "notice", "data-role": "error", role: "status" }, icon("circle-alert"), sentence);
  for (;;) {
    try {
      const found = await ask();
      notice.remove();
      return found;
    } catch (error) {
      sentence.textContent = `The rest of this run can't be read right now (${error.message}). Trying again.`;
      document.getElementById("run-tabs").after(notice);
      await new Promise((done) => setTimeout(done, RETRY_MS));
    }
  }
}
