// Asks for what a live frame does not say of a row: where its time went, and what its agent's instance lacked when it began.
import { badge } from "../icons.js";
import { drawBar } from "./bar.js";
import { rowOf } from "./rows.js";

const EVERY_MS = 2000;
const MOST = 50;

/** `ask(id)` collects; what was collected is fetched at once, then at most every EVERY_MS. */
export function askForDetails(table) {
  const asked = new Set();
  let timer = null;

  async function fetchThem() {
    const ids = [...asked].filter(rowOf).slice(0, MOST);
    asked.clear();
    if (!ids.length) return;
    const query = new URLSearchParams(ids.map((id) => ["run", id]));
    try {
      const answer = await fetch(`${table.dataset.details}?${query}`, { headers: { Accept: "application/json" } });
      if (answer.ok) Object.entries(await answer.json()).forEach(show);
    } catch {
      // The console is away; the live dot says so, and the next change of the row asks again.
    }
  }

  return {
    ask(id) {
      asked.add(id);
      timer ??= setTimeout(() => {
        timer = null;
        fetchThem();
      }, asked.size === 1 ? 100 : EVERY_MS);
    },
  };
}

function show([id, { bar, length, lacks }]) {
  const row = rowOf(id);
  if (!row) return;
  drawBar(row.querySelector('[data-slot="bar"]'), bar, length);
  const agent = row.querySelector(".c-agent");
  agent.querySelector(".missing")?.remove();
  if (!lacks) return;
  const mark = document.createElement("span");
  mark.className = "missing";
  mark.title = `Began without: ${lacks}`;
  const without = document.createElement("span");
  without.className = "sr";
  without.textContent = `, began without ${lacks}`;
  mark.append(badge("degraded"), without);
  agent.append(mark);
}
