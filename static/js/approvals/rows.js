// The live queue: rows come drawn by the server, once for all who look, and are put in their place.

const parser = new DOMParser();

/** Applies changed actions to the queue and to what has to be looked into; how many are new in the queue. */
export function apply(queue, concerns, actions) {
  let added = 0;
  for (const action of actions) {
    added += putInQueue(queue, action);
    putConcern(concerns, action);
  }
  queue.querySelector(".queue-empty").hidden = queue.querySelector("[data-id]") !== null;
  return added;
}

function putInQueue(queue, { id, row, deadline_at: deadline }) {
  const old = rowOf(queue, id);
  if (!row) {
    old?.remove();
    return 0;
  }
  const others = [...queue.querySelectorAll("[data-id]")].filter((item) => item !== old);
  const before = others.filter((item) => Date.parse(item.dataset.deadline) <= Date.parse(deadline));
  // At either end of a page that has neighbours it may belong to one of them.
  const isBeyond = before.length === 0 || before.length === others.length;
  if (!old && "more" in queue.dataset && isBeyond) return 0;
  const item = drawn(row, queue);
  if (old) return replace(old, item);
  if (before.length) before.at(-1).after(item);
  else queue.prepend(item);
  return 1;
}

function putConcern(section, { id, concern }) {
  const list = section.querySelector("ol");
  rowOf(list, id)?.remove();
  if (concern) list.prepend(drawn(concern, document.getElementById("queue")));
  section.hidden = !list.children.length;
}

function replace(old, item) {
  const link = old.querySelector("a");
  if (link.ariaCurrent) item.querySelector("a").setAttribute("aria-current", "true");
  const hadFocus = link === document.activeElement;
  old.replaceWith(item);
  if (hadFocus) item.querySelector("a").focus();
  return 0;
}

/** A row as the server drew it for everybody, made this person's: the queue stays kept to its environment. */
function drawn(html, { dataset }) {
  const item = document.importNode(parser.parseFromString(html, "text/html").querySelector("li"), true);
  const link = item.querySelector("a");
  if (dataset.environment) link.search = `?environment=${encodeURIComponent(dataset.environment)}`;
  const mark = item.querySelector("[data-lookers]");
  if (mark) showLookers(mark, mark.dataset.lookers.split(" "), dataset.person);
  return item;
}

/** Names those who look, but for the person themselves. */
export function showLookers(mark, names, person) {
  const others = names.filter((name) => name && name !== person);
  mark.hidden = !others.length;
  mark.querySelector("span").textContent = others.join(", ");
}

function rowOf(list, id) {
  return list.querySelector(`[data-id="${CSS.escape(id)}"]`);
}
