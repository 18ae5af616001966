// The theme switch: at once here, and in the cookie that the server renders <html data-theme> from.

/** Sets the theme: "auto", "light" or "dark". */
export function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `theme=${theme}; path=/; max-age=31536000; samesite=lax${secure}`;
  for (const button of document.querySelectorAll("[data-theme-switch] button")) {
    button.setAttribute("aria-pressed", String(button.value === theme));
  }
}

/** Makes the switches work without a round trip. */
export function bindTheme() {
  for (const form of document.querySelectorAll("[data-theme-switch]")) {
    form.addEventListener("submit", (event) => {
      if (!event.submitter) return;
      event.preventDefault();
      setTheme(event.submitter.value);
    });
  }
}
