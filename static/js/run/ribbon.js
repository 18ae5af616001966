// From phase ticks to the bands of the ribbon: what the run was in, from when to when, and where no tick came.
// Ticks come in any order and may be missing; a band whose entry or exit was not received says so.
// runs/timeline/ribbon.py draws the first paint by the same rules, from entries and exits alone.

import { millis } from "../time.js";
import { inOrder } from "./store.js";

const PHASE_COLOURS = 8;
const GAP_IN_HEARTBEATS = 2;

/**
 * @typedef {object} Band
 * @property {string} phase
 * @property {number} colour 1 to 8, by the order in which phases first came
 * @property {number} from milliseconds
 * @property {number} to milliseconds
 * @property {boolean} isOpen whether the run is in it now
 * @property {boolean} isEntered whether its entry was received
 * @property {boolean} isLeft whether its exit was received
 * @property {number} lane 0, or more where phases overlap
 * @property {number[]} beats when it gave a sign of life
 * @property {[number, number][]} gaps where a tick was due and none came
 */

/** @returns {Band[]} in their order of time. `to` is the run's end, or now while `isLive`. */
export function bands(ticks, { to, isLive, heartbeatMs }) {
  const found = [];
  for (const tick of inOrder(ticks)) placeTick(found, tick);
  found.sort((one, other) => one.from - other.from);
  closeBands(found, to, isLive);
  colour(found);
  assignLanes(found);
  for (const band of found) band.gaps = gapsOf(band, heartbeatMs);
  return found;
}

function placeTick(found, tick) {
  const at = millis(tick.at);
  const open = found.findLast((band) => band.phase === tick.phase && band.to === null);
  if (tick.state !== "entered" && open) {
    open.beats.push(at);
    if (tick.state === "left") Object.assign(open, { to: at, isLeft: true });
    return;
  }
  const isLeft = tick.state === "left";
  const band = { phase: tick.phase, from: at, to: isLeft ? at : null, beats: [at], isLeft, gaps: [], lane: 0 };
  found.push({ ...band, isEntered: tick.state === "entered", isOpen: false, colour: 1 });
}

function closeBands(found, to, isLive) {
  for (const band of found) {
    if (band.to !== null) continue;
    const lastBeat = band.beats[band.beats.length - 1];
    const next = found.find((other) => other !== band && other.from >= lastBeat && other.from > band.from);
    band.to = next ? next.from : Math.max(to, lastBeat);
    band.isOpen = isLive && !next;
  }
}

function colour(found) {
  const phases = [...new Set(found.map((band) => band.phase))];
  for (const band of found) band.colour = (phases.indexOf(band.phase) % PHASE_COLOURS) + 1;
}

function assignLanes(found) {
  const ends = [];
  for (const band of found) {
    const free = ends.findIndex((end) => end <= band.from);
    band.lane = free === -1 ? ends.length : free;
    ends[band.lane] = band.to;
  }
}

function gapsOf(band, heartbeatMs) {
  const gaps = [];
  let last = band.from;
  for (const beat of [...band.beats, band.to]) {
    if (beat - last > GAP_IN_HEARTBEATS * heartbeatMs) gaps.push([last + heartbeatMs, beat]);
    last = Math.max(last, beat);
  }
  return gaps;
}

/** How long each phase took and its share of the whole, longest first; time in no phase comes last, without a name. */
export function shares(found, from, to) {
  const total = Math.max(to - from, 1);
  const byPhase = new Map();
  for (const band of found) {
    const known = byPhase.get(band.phase) ?? { phase: band.phase, colour: band.colour, ms: 0, isOpen: false };
    known.ms += band.to - band.from;
    known.isOpen ||= band.isOpen;
    byPhase.set(band.phase, known);
  }
  const rows = [...byPhase.values()].sort((one, other) => other.ms - one.ms);
  const outside = total - covered(found, from, to);
  if (rows.length && outside / total >= 0.01) rows.push({ phase: "", colour: 0, ms: outside, isOpen: false });
  return rows.map((row) => ({ ...row, share: row.ms / total }));
}

function covered(found, from, to) {
  let sum = 0;
  let end = from;
  for (const band of found) {
    sum += Math.max(Math.min(band.to, to) - Math.max(band.from, end), 0);
    end = Math.max(end, Math.min(band.to, to));
  }
  return sum;
}

/** The stretches in which the run waited on a person, also those that are over. `to` ends what still waits. */
export function waits(spans, to) {
  const found = [];
  for (const span of spans) {
    if (span.outcome === "waiting" || span.approval) found.push([millis(span.at), millis(span.ended_at) ?? to]);
  }
  return found;
}
