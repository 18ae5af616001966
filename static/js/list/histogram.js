// Narrowing by the histogram: drag over bars, or arrow keys to choose, Shift to extend, Enter to look into it.

/** Makes the bars one stop of the Tab order, and a surface to drag on. */
export function bindHistogram(plot) {
  const bars = [...plot.querySelectorAll("a")];
  if (!bars.length) return;
  const brush = plot.querySelector(".brush");
  const selection = { from: null, to: null };
  bars.forEach((bar, index) => bar.setAttribute("tabindex", index === bars.length - 1 ? "0" : "-1"));

  const barAt = (x) => {
    const box = plot.getBoundingClientRect();
    return Math.min(Math.max(Math.floor(((x - box.left) / box.width) * bars.length), 0), bars.length - 1);
  };
  const range = () => [Math.min(selection.from, selection.to), Math.max(selection.from, selection.to)];

  function draw() {
    brush.hidden = selection.from === null;
    if (brush.hidden) return;
    const [first, last] = range();
    brush.style.left = `${(first / bars.length) * 100}%`;
    brush.style.width = `${((last - first + 1) / bars.length) * 100}%`;
  }

  function clear() {
    selection.from = selection.to = null;
    draw();
  }

  function go() {
    const [first, last] = range();
    const url = new URL(bars[first].getAttribute("href"), location.href);
    url.searchParams.set("from", bars[first].dataset.since);
    url.searchParams.set("to", bars[last].dataset.until);
    location.assign(url);
  }

  plot.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || event.pointerType === "touch") return;
    event.preventDefault();
    plot.setPointerCapture(event.pointerId);
    selection.from = selection.to = barAt(event.clientX);
    draw();
  });
  plot.addEventListener("pointermove", (event) => {
    if (!plot.hasPointerCapture(event.pointerId)) return;
    selection.to = barAt(event.clientX);
    draw();
  });
  plot.addEventListener("pointerup", (event) => plot.hasPointerCapture(event.pointerId) && go());
  plot.addEventListener("pointercancel", clear);
  plot.addEventListener("keydown", (event) => {
    const at = bars.indexOf(document.activeElement);
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.key === "Escape") return clear();
    if (event.key === "Enter" && selection.from !== null) {
      event.preventDefault();
      return go();
    }
    if (!step || at < 0) return;
    event.preventDefault();
    const next = Math.min(Math.max(at + step, 0), bars.length - 1);
    if (event.shiftKey) {
      selection.from ??= at;
      selection.to = next;
    } else selection.from = selection.to = null;
    draw();
    bars[at].setAttribute("tabindex", "-1");
    bars[next].setAttribute("tabindex", "0");
    bars[next].focus();
  });
}
