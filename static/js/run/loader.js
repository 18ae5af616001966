// Brings in the run's log: its past in pages, in the background; what happens from now on by the live socket.
// The two meet in the store in any order.

import { subscribe } from "../live.js";

const PAGE = 1000;
const RETRY_MS = 2000;

/**
 * @param {object} boot the page's first data
 * @param {object} on `{onLog(log), onLoaded(), onTrouble(sentence|null)}`
 */
export async function load(boot, { onLog, onLoaded, onTrouble }) {
  subscribe(`run:${boot.run.id}`, { after: boot.seq, onFrame: onLog });
  let after = 0;
  while (after < boot.seq) {
    try {
      const answer = await fetch(`${boot.log}?after=${after}&limit=${PAGE}`, { headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error(`the console answered ${answer.status}`);
      const log = await answer.json();
      onLog(log);
      onTrouble(null);
      after = log.more ? log.seq : boot.seq;
    } catch (error) {
      onTrouble(`The rest of this run can't be read (${error.message}). Trying again.`);
      await new Promise((done) => setTimeout(done, RETRY_MS));
    }
  }
  onLoaded();
}
