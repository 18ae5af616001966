// The live run list: rows change in place, new ones arrive without moving what is under the pointer.
import { announce } from "../announce.js";
import { subscribe } from "../live.js";
import { arrivals } from "./arrivals.js";
import { bindHistogram } from "./histogram.js";
import { wanted } from "./filter.js";
import { agree, fill, rowOf } from "./rows.js";
import { askForDetails } from "./details.js";

const TOPICS_MAX = 20;
const SETTLE_MS = 5000;

const table = document.getElementById("runs");
const environments = JSON.parse(document.getElementById("environments").textContent);
const filter = JSON.parse(document.getElementById("filter").textContent);
const details = askForDetails(table);
const incoming = arrivals(table, details);

function onFrame(frame) {
  for (const run of frame.runs) {
    const row = rowOf(run.id);
    if (row) {
      if (fill(row, run)) details.ask(run.id);
    } else if (wanted(run, filter) && incoming.fits(run)) incoming.add(run);
    else incoming.drop(run.id);
  }
  const arrived = incoming.settle();
  if (arrived) announce(`${arrived} new ${arrived === 1 ? "run" : "runs"}`);
}

for (const environment of environments.slice(0, TOPICS_MAX)) {
  subscribe(`runs:${environment}`, { after: table.dataset.now, onFrame });
}
bindHistogram(document.getElementById("histogram"));
setInterval(() => document.visibilityState === "visible" && agree(table), SETTLE_MS);
