// Keys of every page: / search, ? help, g + letter to a section, j k Enter over rows, Esc.

let pending = "";

/** Whether keys belong to what has the focus: a field, a select, an open dialog. */
export function isTyping(event) {
  const target = event.target;
  return target.isContentEditable || target.closest("input, textarea, select, dialog[open]") !== null;
}

/** Listens on the page. Pages with rows mark each row's link with [data-row]. */
export function bindKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") return leave(event);
    if (isTyping(event)) return;
    const did = pending === "g" ? goTo(event.key) : act(event.key);
    pending = pending !== "g" && event.key === "g" ? "g" : "";
    if (did) event.preventDefault();
  });
}

function act(key) {
  if (key === "/") return focusOn(document.getElementById("search"));
  if (key === "?") return open(document.getElementById("keys"));
  if (key === "j" || key === "k") return moveRow(key === "j" ? 1 : -1);
  return false;
}

function leave(event) {
  document.querySelector("details.menu[open]")?.removeAttribute("open");
  if (event.target.matches("input[type=search]") && !event.target.closest("dialog")) event.target.blur();
}

function goTo(key) {
  const section = [...document.querySelectorAll(".rail kbd")].find((hint) => hint.textContent === `g ${key}`);
  section?.closest("a").click();
  return Boolean(section);
}

function focusOn(field) {
  field?.focus();
  field?.select();
  return Boolean(field);
}

function open(dialog) {
  dialog.showModal();
  return true;
}

function moveRow(step) {
  const rows = [...document.querySelectorAll("[data-row]")];
  if (!rows.length) return false;
  const at = rows.indexOf(document.activeElement);
  const next = rows[at < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.min(Math.max(at + step, 0), rows.length - 1)];
  next.focus();
  next.scrollIntoView({ block: "nearest" });
  return true;
}
