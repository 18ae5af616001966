// Builds what the template tags `icon`, `status_badge` and `outcome_badge` build.

const SVG = "http://www.w3.org/2000/svg";
const sprite = document.querySelector('meta[name="sprite"]').content;
const table = JSON.parse(document.getElementById("badges").textContent);

/** An icon of the vendored sprite. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("focusable", "false");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `${sprite}#${name}`);
  svg.append(use);
  return svg;
}

/** Icon, word and colour role of a status, outcome or level. */
export function badgeOf(word) {
  return table[word] ?? { icon: "circle", word: word.replaceAll("_", " "), role: "empty" };
}

/** A status, outcome or level as icon, word and colour. */
export function badge(word) {
  const { icon: name, word: text, role } = badgeOf(word);
  const element = span("badge", icon(name), span("", text));
  element.dataset.role = role;
  element.dataset.word = word;
  return element;
}

/** So many calls of one outcome. */
export function count(word, number) {
  const { icon: name, word: text, role } = badgeOf(word);
  const element = span("count", icon(name), span("", String(number)), span("sr", ` ${text}`));
  element.dataset.role = role;
  element.title = `${number} ${text}`;
  return element;
}

function span(className, ...children) {
  const element = document.createElement("span");
  if (className) element.className = className;
  element.append(...children);
  return element;
}
