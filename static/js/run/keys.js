// The keys of a run page.

import { isTyping } from "../keys.js";

/** @param {Record<string, () => boolean|void>} acts by key; one that returns false leaves the key to others */
export function bindRunKeys(acts) {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (isTyping(event)) return;
    const act = acts[event.key];
    // A focused link or button keeps its own Enter.
    if (!act || (event.key === "Enter" && event.target.closest("a, button, summary"))) return;
    if (act(event) !== false) event.preventDefault();
  });
}
