// Who looks at what: says so for this page, and shows it of others.
import { showLookers } from "./rows.js";

const EVERY_MS = 15000;

/** Keeps the marks of the queue and of the open action true while somebody sees them. */
export function keepPresent(queue, action) {
  const say = () => document.visibilityState === "visible" && hear(queue, action);
  say();
  setInterval(say, EVERY_MS);
}

async function hear(queue, action) {
  try {
    const answer = await ask(queue, action);
    if (answer.ok) show(queue, action, await answer.json());
  } catch {
    // The console is away; the live dot says so.
  }
}

/** On a phone the queue's page holds an action that nobody sees: nobody looks at that. */
function ask(queue, action) {
  if (!action?.offsetParent) return fetch(queue.dataset.lookers);
  const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
  return fetch(action.dataset.looking, { method: "POST", headers: { "X-CSRFToken": token } });
}

function show(queue, action, { looking, is_gone: isGone, queue: byAction }) {
  for (const row of queue.querySelectorAll("[data-id]")) {
    showLookers(row.querySelector("[data-lookers]"), byAction[row.dataset.id] ?? [], queue.dataset.person);
  }
  const mark = action?.querySelector("[data-lookers]");
  // Not asked about an action, or about one that is over, which has no such marks.
  if (!looking || !mark) return;
  showLookers(mark, looking, queue.dataset.person);
  action.querySelector("[data-gone]").hidden = !isGone;
}
