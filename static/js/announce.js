// The page's one polite live region.

/** Says a sentence to screen readers. */
export function announce(sentence) {
  document.getElementById("announce").textContent = sentence;
}
