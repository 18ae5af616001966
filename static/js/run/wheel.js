// The wheel over bars: with Ctrl (or a pinch) it zooms around the pointer, with Shift it pans. Without either the page scrolls.

const OUT = 1.25;
const IN = 0.8;
const PAN = 0.1;

/** @param {object} act `{shownView(), zoomBy(factor, anchor), pan(share)}` */
export function bindWheel(grid, { shownView, zoomBy, pan }) {
  grid.addEventListener(
    "wheel",
    (event) => {
      const track = event.target.closest(".span-track");
      if (!track || !(event.ctrlKey || event.metaKey || event.shiftKey)) return;
      event.preventDefault();
      if (event.shiftKey) return pan(Math.sign(event.deltaX || event.deltaY) * PAN);
      const box = track.getBoundingClientRect();
      const { from, to } = shownView();
      zoomBy(event.deltaY > 0 ? OUT : IN, from + ((event.clientX - box.left) / box.width) * (to - from));
    },
    { passive: false },
  );
}
