// Copy buttons: `<code data-copy>text</code>` gets one; `data-copy="…"` copies that instead of its text.
import { announce } from "./announce.js";
import { icon } from "./icons.js";

/** Puts a copy button after every [data-copy] under root that has none yet. */
export function copyButtons(root) {
  for (const element of root.querySelectorAll("[data-copy]")) {
    if (element.dataset.copyBound) continue;
    element.dataset.copyBound = "1";
    element.after(copyButton(() => element.dataset.copy || element.textContent.trim(), element.dataset.copyName));
  }
}

/** A button that copies what `text()` gives, and says so. */
export function copyButton(text, name = "") {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "icon-button copy";
  button.setAttribute("aria-label", `Copy ${name || text().slice(0, 60)}`);
  button.append(icon("copy"));
  button.addEventListener("click", async (event) => {
    event.preventDefault();
    event.stopPropagation();
    button.replaceChildren(icon((await put(text())) ? "check" : "x"));
    setTimeout(() => button.replaceChildren(icon("copy")), 1200);
  });
  return button;
}

async function put(text) {
  try {
    await navigator.clipboard.writeText(text);
    announce("Copied");
    return true;
  } catch {
    announce("The browser did not let this page copy");
    return false;
  }
}
