// Building elements. Attributes that are null, undefined or false are left out; children are nodes or text.

const SVG = "http://www.w3.org/2000/svg";

/** An HTML element: `el("a", { class: "x", href: "#" }, "text")`. */
export function el(name, attributes = {}, ...children) {
  return dress(document.createElement(name), attributes, children);
}

/** An SVG element. */
export function svg(name, attributes = {}, ...children) {
  return dress(document.createElementNS(SVG, name), attributes, children);
}

function dress(element, attributes, children) {
  set(element, attributes);
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Sets attributes, touching only what differs; null takes one away. */
export function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) element.removeAttribute(name);
    else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value === true ? "" : value);
  }
  return element;
}

/** Sets an element's text, touching it only if it differs: a selection in it survives. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
