// A long list of rows of one height, of which only those in sight are in the DOM. The page itself scrolls.

const OVERSCAN = 8;

/**
 * @param {HTMLElement} list as high as all rows; its children are placed by their index
 * @param {object} rows
 * @param {() => number} rows.height of a row in pixels, as the style sheet has it
 * @param {(index: number) => string} rows.keyOf what a row is told by while indexes shift
 * @param {(index: number, element: HTMLElement|null) => HTMLElement} rows.render builds a row, or brings its element up to date
 */
export function windowed(list, { height, keyOf, render }) {
  const shown = new Map();
  let painted = new Map();
  let count = 0;
  let pending = 0;

  function range() {
    const top = -list.getBoundingClientRect().top;
    const rows = height();
    const first = Math.floor(top / rows) - OVERSCAN;
    const last = Math.ceil((top + window.innerHeight) / rows) + OVERSCAN;
    return [Math.max(first, 0), Math.min(last, count)];
  }

  function paint(keep = null) {
    cancelAnimationFrame(pending);
    pending = 0;
    if (!list.isConnected) return;
    const [first, last] = range();
    const wanted = new Map();
    for (let index = first; index < last; index += 1) wanted.set(keyOf(index), index);
    painted = new Map([...wanted].map(([key, index]) => [index, key]));
    if (keep !== null && keep >= 0 && keep < count) wanted.set(keyOf(keep), keep);
    for (const [key, element] of shown) if (!wanted.has(key)) remove(key, element);
    for (const [key, index] of wanted) place(key, index);
  }

  function remove(key, element) {
    element.remove();
    shown.delete(key);
  }

  function place(key, index) {
    const known = shown.get(key) ?? null;
    const element = render(index, known);
    element.style.top = `${index * height()}px`;
    if (element === known) return;
    known?.remove();
    shown.set(key, element);
    list.append(element);
  }

  /** Shows `number` rows. What the reader looks at stays where it is, also when rows come in above it. */
  function show(number, indexOf) {
    const anchor = firstInSight();
    count = number;
    list.style.height = `${count * height()}px`;
    const index = anchor ? indexOf(anchor.key) : -1;
    if (index >= 0 && index !== anchor.index) window.scrollBy(0, (index - anchor.index) * height());
    paint();
  }

  /** The row that the reader looks at, by the key that it was painted with: by now the indexes may mean other rows. */
  function firstInSight() {
    const top = -list.getBoundingClientRect().top;
    const index = Math.floor(top / height());
    return top > 0 && painted.has(index) ? { index, key: painted.get(index) } : null;
  }

  /** Scrolls as little as needed for a row to be in sight, below what is stuck to the top of the page. */
  function reveal(index, stuck) {
    const top = list.getBoundingClientRect().top + index * height();
    const above = top - stuck;
    const below = top + height() - window.innerHeight + OVERSCAN;
    if (above < 0) window.scrollBy(0, above);
    else if (below > 0) window.scrollBy(0, below);
    paint(index);
  }

  function soon() {
    pending ||= requestAnimationFrame(() => paint());
  }

  window.addEventListener("scroll", soon, { passive: true });
  window.addEventListener("resize", soon, { passive: true });
  return { show, paint, reveal, elementOf: (key) => shown.get(key) ?? null };
}
