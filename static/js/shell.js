// What every page's frame does.
import { copyButtons } from "./copy.js";
import { keepHealth } from "./health-dot.js";
import { bindKeys } from "./keys.js";
import { bindPalette } from "./palette.js";
import { bindTheme } from "./theme.js";
import { keepFresh } from "./time.js";

keepFresh();
bindTheme();
bindPalette();
bindKeys();
copyButtons(document);
keepHealth();

for (const button of document.querySelectorAll("[data-opens]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    button.closest("details")?.removeAttribute("open");
    document.getElementById(button.dataset.opens).showModal();
  });
}
for (const button of document.querySelectorAll("[data-closes]")) {
  button.addEventListener("click", () => button.closest("dialog").close());
}
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
