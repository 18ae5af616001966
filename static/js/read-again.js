// Parts of a page that time alone changes (what was proven grows stale): read again while somebody looks, but never under
// somebody's hands.
import { refresh } from "./approvals/refresh.js";

const READ_EVERY_MS = 5000;

setInterval(() => {
  const parts = [...document.querySelectorAll("[data-read-again]")].filter((part) => !part.contains(document.activeElement));
  if (!document.hidden && parts.length) refresh(...parts.map((part) => `#${part.id}`));
}, READ_EVERY_MS);
