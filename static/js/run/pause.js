// Live, or held still: what comes in while held is kept and said, and applied on going on.

import { announce } from "../announce.js";
import { icon } from "../icons.js";
import { el, say } from "./dom.js";
import { count } from "./text.js";

/** @param {{onResume(logs)}} on given what came in meanwhile */
export function pause({ onResume }) {
  const tabs = document.getElementById("run-tabs");
  const text = el("span");
  const pill = el("button", { type: "button", class: "chip on held", hidden: true }, icon("pause"), text);
  const held = { at: 0, toggle, keep, isOn: () => isOn };
  let isOn = false;
  let logs = [];
  tabs.append(pill);
  pill.addEventListener("click", () => toggle());

  function toggle(now) {
    isOn = !isOn;
    held.at = now ?? held.at;
    pill.hidden = !isOn;
    const waiting = logs;
    logs = [];
    if (isOn) tell();
    else onResume(waiting);
    announce(isOn ? "Held still" : "Live again");
  }

  function keep(log) {
    logs.push(log);
    tell();
  }

  function tell() {
    const changes = logs.reduce((sum, log) => sum + log.ticks.length + log.spans.length + log.events.length, 0);
    say(text, `Held still${changes ? `, ${count(changes)} changes wait` : ""} · press . to go on`);
  }

  return held;
}
