// What a run's summary says about its state, in words. The same words on a fresh page come from runs/timeline/state.py.

import { millis } from "../time.js";

const ENDED = new Set(["succeeded", "failed", "timed_out", "cancelled"]);
const FAILED = ["timeout", "auth_failed", "degraded", "error"];
const QUIET_IN_HEARTBEATS = 1.5;

export function isEnded(run) {
  return ENDED.has(run.status);
}

/**
 * The word to show for a run's status and, where there is more to say, a sentence.
 * A run that calls itself running and gives no sign of life is quiet, then stalled: never "running" for ever.
 * @param {number} now the console's clock, milliseconds
 */
export function stateOf(run, now, duration) {
  if (isEnded(run)) return { word: run.status, sentence: failures(run) };
  // It owes no sign of life while a person decides.
  if (run.status === "waiting") return { word: "waiting", sentence: "waiting on a person" };
  const silent = now - millis(run.last_seen_at);
  const since = `no sign of life for ${duration(silent)}`;
  if (run.status === "stalled" || silent > run.lease_s * 1000) {
    return { word: "stalled", sentence: `${since}; its lease is ${duration(run.lease_s * 1000)}` };
  }
  if (run.status === "running" && silent > run.heartbeat_s * 1000 * QUIET_IN_HEARTBEATS) {
    return { word: "quiet", sentence: `${since}; a tick is due every ${duration(run.heartbeat_s * 1000)}` };
  }
  return { word: run.status, sentence: "" };
}

/** A run may succeed although tools failed on its way: that is a state of its own. */
function failures(run) {
  const failed = FAILED.reduce((sum, outcome) => sum + (run.tools[outcome] ?? 0), 0);
  if (run.status !== "succeeded" || !failed) return "";
  return `with ${failed} failed tool call${failed === 1 ? "" : "s"}`;
}

/** The run's stretch of time: `{from, to, isLive}`. `to` is its end; or now by the agent's clock while it is live. */
export function timesOf(run, now) {
  const from = millis(run.started_at);
  if (isEnded(run)) return { from, to: millis(run.ended_at) ?? from, isLive: false };
  const isStalled = run.status === "stalled";
  const agentNow = (isStalled ? millis(run.last_seen_at) : now) + run.skew_ms;
  return { from, to: Math.max(agentNow, from), isLive: !isStalled };
}

/** How a deadline stands: `{text, isOver}`, or null without one. */
export function deadlineOf(run, now, duration) {
  const at = millis(run.deadline_at);
  if (at === null) return null;
  const end = isEnded(run) ? millis(run.ended_at) ?? now : now + run.skew_ms;
  const left = at - end;
  if (isEnded(run)) {
    return { text: left < 0 ? `missed by ${duration(-left)}` : `met with ${duration(left)} to spare`, isOver: left < 0 };
  }
  return { text: left < 0 ? `passed ${duration(-left)} ago` : `${duration(left)} left`, isOver: left < 0 };
}
