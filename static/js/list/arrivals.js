// New rows: in at once while nobody is reading the list, else counted on a pill until they are asked for.
import { makeRow, rowOf } from "./rows.js";

const ROWS_MAX = 100;
const PAGE = 50;
const AT_TOP_PX = 40;
const LEFT_MS = 600;

/** Keeps what has arrived and is not shown yet. */
export function arrivals(table, details) {
  const body = table.tBodies[0];
  const pill = document.getElementById("fresh");
  const waiting = new Map();
  // The pointer on its way to the pill has left the rows: they must not come in, and the pill not go, before it is there.
  const isReading = () =>
    scrollY > AT_TOP_PX || body.matches(":hover") || pill.matches(":hover") || body.contains(document.activeElement);

  function settle(isAsked = false) {
    const isHeld = waiting.size > 0 && isReading() && !isAsked;
    pill.hidden = !isHeld;
    pill.querySelector("span").textContent = `${waiting.size} new`;
    if (isHeld) return 0;
    const arrived = waiting.size;
    for (const run of waiting.values()) {
      insert(body, run);
      details.ask(run.id);
    }
    waiting.clear();
    if (arrived) trim(body);
    return arrived;
  }

  pill.addEventListener("click", () => {
    scrollTo({ top: 0 });
    settle(true);
    body.querySelector("[data-row]")?.focus({ preventScroll: true });
  });
  body.addEventListener("pointerleave", () => setTimeout(settle, LEFT_MS));
  pill.addEventListener("pointerleave", () => setTimeout(settle, LEFT_MS));
  addEventListener("scroll", () => scrollY <= AT_TOP_PX && settle(), { passive: true });

  return {
    settle,
    add: (run) => waiting.set(run.id, run),
    drop: (id) => waiting.delete(id),
    /** Whether a run's place is on this page: the newest page, and not after its last row. */
    fits: (run) => table.dataset.first === "1" && (body.rows.length < PAGE || run.started_at > body.rows[body.rows.length - 1].dataset.started),
  };
}

function insert(body, run) {
  if (rowOf(run.id)) return;
  document.getElementById("empty")?.remove();
  body.closest("table").hidden = false;
  const row = makeRow(run);
  row.classList.add("new");
  const after = [...body.rows].find((other) => other.dataset.started < run.started_at);
  body.insertBefore(row, after ?? null);
}

/** Lets go of rows at the end; the link to older ones then starts after the last that is left. */
function trim(body) {
  if (body.rows.length <= ROWS_MAX) return;
  while (body.rows.length > ROWS_MAX) body.lastElementChild.remove();
  const older = document.querySelector('a[rel="next"]');
  if (!older) return location.reload();
  const { started, run } = body.lastElementChild.dataset;
  const url = new URL(older.href);
  url.searchParams.set("before", `${started.replace(/[-:Z]/g, "")}_${run.replaceAll("-", "")}`);
  older.href = url;
}
