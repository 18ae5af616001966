// One row of the list, filled from a run's shape: what templates/runs/run_row.html renders, built again.
import { copyButton } from "../copy.js";
import { badge, count, icon } from "../icons.js";
import { isEnded, stateOf } from "../run/status.js";
import { durationText, millis, timeElement } from "../time.js";
import { stretchBar } from "./bar.js";

const table = document.getElementById("runs");
const template = document.getElementById("run-row");
const doors = JSON.parse(document.getElementById("doors").textContent);
const environmentRoles = JSON.parse(document.getElementById("environment-roles").textContent);
const skew = Date.parse(table.dataset.now) - Date.now();

/** The console's clock. */
export const consoleNow = () => Date.now() + skew;

/** The row of a run, or null. */
export const rowOf = (id) => document.getElementById(`run-${id}`);

/** A new row. */
export function makeRow(run) {
  const row = template.content.firstElementChild.cloneNode(true);
  row.id = `run-${run.id}`;
  Object.assign(row.dataset, { run: run.id, started: run.started_at });
  const slot = slotsOf(row);
  slot.link.href = `/runs/${run.id}/`;
  slot.link.title = run.request_id;
  slot.link.textContent = run.request_id.length <= 16 ? run.request_id : `${run.request_id.slice(0, 8)}…${run.request_id.slice(-6)}`;
  slot.copy.replaceWith(copyButton(() => run.request_id, "request ID"));
  slot.agent.href = `/agents/${encodeURIComponent(run.environment)}/${encodeURIComponent(run.agent)}/`;
  slot.agent.textContent = run.agent;
  slot.environment.replaceChildren(chip(run.environment));
  slot.age.replaceChildren(timeElement(run.started_at));
  fill(row, run);
  return row;
}

/** Brings a row up to date. True if where its time went has to be asked for: it entered a phase, or ended. */
export function fill(row, run) {
  const slot = slotsOf(row);
  const hasMoved = row.dataset.phase !== run.phase || row.dataset.status !== run.status;
  Object.assign(row.dataset, {
    status: run.status, phase: run.phase, seen: run.last_seen_at, heartbeat: run.heartbeat_s, lease: run.lease_s,
  });
  showState(row, run);
  slot.query.textContent = run.query.length >= 160 ? `${run.query.slice(0, 160)}…` : run.query;
  slot.asked.replaceChildren(...asked(run));
  slot.phase.replaceChildren(...(run.phase && !isEnded(run) ? phase(run) : []));
  const calls = Object.entries(run.tools).sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
  slot.tools.replaceChildren(...calls.flatMap(([outcome, number]) => [count(outcome, number), " "]));
  slot.took.replaceChildren(took(run));
  return hasMoved;
}

/** Lets every live row agree with the clock: a run that gives no sign of life becomes quiet, then stalled. */
export function agree(root) {
  for (const row of root.querySelectorAll('tr[data-status="running"], tr[data-status="queued"]')) {
    const { status, seen, heartbeat, lease, started } = row.dataset;
    showState(row, { status, last_seen_at: seen, heartbeat_s: Number(heartbeat), lease_s: Number(lease) });
    const bar = row.querySelector("svg.bar");
    if (bar) stretchBar(bar, consoleNow() - Date.parse(started));
  }
}

function showState(row, run) {
  const cell = slotsOf(row).status;
  const { word, sentence } = stateOf(run, consoleNow(), durationText);
  cell.title = sentence;
  if (cell.firstElementChild?.dataset.word !== word) cell.replaceChildren(badge(word));
}

function slotsOf(row) {
  return Object.fromEntries([...row.querySelectorAll("[data-slot]")].map((cell) => [cell.dataset.slot, cell]));
}

function asked(run) {
  const door = element("span", "door-icon", icon(doors[run.transport] ?? "plug"), element("span", "sr", `${run.transport}: `));
  door.title = `by ${run.transport}`;
  const who = element("span", "line cut", door, ` ${run.subject || "itself"}`);
  who.title = run.actor;
  if (!run.on_behalf_of) return [who];
  const whom = element("span", "line cut quiet", `→ ${run.on_behalf_of} `, element("span", "claim", "claimed"));
  whom.title = "The agent says so; nothing proves it yet";
  return [who, whom];
}

function phase(run) {
  return [element("span", "cut", run.phase), " ", ...(run.phase_at ? [timeElement(run.phase_at, "elapsed")] : [])];
}

function took(run) {
  if (run.ended_at) return element("span", "", durationText(Math.max(millis(run.ended_at) - millis(run.started_at), 0)));
  return run.status === "stalled" ? "–" : timeElement(run.started_at, "elapsed");
}

function chip(environment) {
  const made = element("span", "env", environment);
  made.dataset.env = environmentRoles[environment] ?? "other";
  return made;
}

function element(tag, className, ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children);
  return made;
}
