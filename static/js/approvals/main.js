// The desk of approvals: live queue, live action, keys, time left. The page decides without any of it.
import { announce } from "../announce.js";
import { isTyping } from "../keys.js";
import { subscribe } from "../live.js";
import { showCount } from "./count.js";
import { countDown } from "./left.js";
import { keepPresent } from "./presence.js";
import { refresh } from "./refresh.js";
import { apply } from "./rows.js";
import { bindVerdict, onVerdictKey } from "./verdict.js";

const TOPICS_MAX = 19;

const environments = JSON.parse(document.getElementById("environments").textContent);
const action = document.querySelector("article.action");
const queue = document.getElementById("queue");
const concerns = document.getElementById("concerns");

function onQueue({ topic, actions }) {
  const chosen = queue.dataset.environment;
  if (chosen && topic !== `approvals:${chosen}`) return;
  const added = apply(queue, concerns, actions);
  showCount(queue);
  if (added) announce(`${added} more to decide`);
}

async function onAction({ version }) {
  if (!version || version <= Number(action.dataset.version)) return;
  if (hasTyped()) {
    action.querySelector("[data-stale]").hidden = false;
    announce("This action has changed. Your verdict would be refused: load it again.");
    return;
  }
  action.dataset.version = version;
  await refresh("#action");
  bindVerdict(document.getElementById("verdict"));
  announce("This action has changed");
}

/** Whether somebody is in the middle of an answer, which a page that changes under them would take away. */
function hasTyped() {
  return [...action.querySelectorAll("textarea, input[type=password], input[name=note]")].some((field) => field.value);
}

function onKey(event) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event)) return;
  if (onVerdictKey(event.key)) event.preventDefault();
}

for (const environment of environments.slice(0, TOPICS_MAX)) {
  subscribe(`approvals:${environment}`, { after: queue.dataset.now, onFrame: onQueue });
}
if (action) {
  subscribe(`action:${action.dataset.action}`, { after: Number(action.dataset.version), onFrame: onAction });
  bindVerdict(document.getElementById("verdict"));
}
document.addEventListener("keydown", onKey);
keepPresent(queue, action);
countDown();
