// The command palette: paste an ID and Enter, go to a page, do an action.
import { icon } from "./icons.js";
import { setTheme } from "./theme.js";

const dialog = document.getElementById("palette");
const field = dialog.querySelector("input");
const list = document.getElementById("palette-list");
const actions = [
  { text: "Theme: system", icon: "monitor", run: () => setTheme("auto") },
  { text: "Theme: light", icon: "sun", run: () => setTheme("light") },
  { text: "Theme: dark", icon: "moon", run: () => setTheme("dark") },
  { text: "Keyboard help", icon: "keyboard", run: () => document.getElementById("keys").showModal() },
];
const SHORTEST_ID = 4;
let shown = [];
let chosen = 0;

/** Adds an action of the page that is open: `{text, icon, run}`. */
export function offerAction(action) {
  actions.unshift(action);
}

/** Opens on Ctrl+K and ⌘K. */
export function bindPalette() {
  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey) return;
    event.preventDefault();
    if (dialog.open) return dialog.close();
    document.querySelector("dialog[open]")?.close();
    field.value = "";
    fill();
    dialog.showModal();
  });
  field.addEventListener("input", fill);
  field.addEventListener("keydown", onKey);
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
}

function pages() {
  return [...document.querySelectorAll(".rail li a")].map((link) => ({
    text: link.querySelector("span").textContent,
    icon: link.querySelector("use").getAttribute("href").split("#")[1],
    kind: "page",
    run: () => location.assign(link.href),
  }));
}

function fill() {
  const text = field.value.trim();
  const words = text.toLowerCase().split(/\s+/);
  const fits = (entry) => words.every((word) => entry.text.toLowerCase().includes(word));
  shown = [...pages(), ...actions.map((action) => ({ kind: "action", ...action }))].filter(fits);
  const lookUp = { text: `Find ${text}`, icon: "search", kind: "any ID", run: () => field.form.requestSubmit() };
  // A word that names a page goes there; anything else is taken for an ID.
  if (text.length >= SHORTEST_ID || (text && !shown.length)) shown = [...shown, lookUp];
  chosen = 0;
  list.replaceChildren(...shown.map(option));
  mark();
}

function option(entry, index) {
  const item = document.createElement("li");
  item.id = `palette-${index}`;
  item.setAttribute("role", "option");
  const [text, kind] = [document.createElement("span"), document.createElement("span")];
  text.textContent = entry.text;
  kind.textContent = entry.kind;
  item.append(icon(entry.icon), text, kind);
  item.addEventListener("click", () => choose(index));
  return item;
}

function mark() {
  [...list.children].forEach((item, index) => item.setAttribute("aria-selected", String(index === chosen)));
  field.setAttribute("aria-activedescendant", shown.length ? `palette-${chosen}` : "");
  list.children[chosen]?.scrollIntoView({ block: "nearest" });
}

function choose(index) {
  const entry = shown[index];
  if (!entry) return;
  dialog.close();
  entry.run();
}

function onKey(event) {
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    chosen = (chosen + (event.key === "ArrowDown" ? 1 : -1) + shown.length) % Math.max(shown.length, 1);
    mark();
  } else if (event.key === "Enter") choose(chosen);
  else return;
  event.preventDefault();
}
