// What a page draws, made from its store. The shape of the forest is made anew when spans changed; what depends on the
// clock is made anew each time.

import { extent } from "./axis.js";
import { criticalPath } from "./critical.js";
import { bands, shares, waits } from "./ribbon.js";
import { stateOf, timesOf } from "./status.js";
import { forest, index } from "./tree.js";

/** Keeps the forest between calls: `model.of(changed, now)` gives what to draw. */
export function modelOf(store, duration) {
  let roots = [];
  let byId = new Map();
  let isFresh = false;

  return {
    /** Says that spans (or the run's end, which makes spans late) changed. */
    outdate() {
      isFresh = false;
    },
    /**
     * @param {number} now the console's clock
     * @param {boolean} isLoaded whether all of the past is here: before, what is missing may just not have been read yet
     */
    at(now, isLoaded) {
      const { run } = store;
      if (!isFresh) {
        roots = forest(store.spans.values(), run);
        byId = index(roots);
        isFresh = true;
      }
      const times = timesOf(run, now);
      const full = extent(times, roots, times.to);
      const found = bands(store.ticks, { to: times.to, isLive: times.isLive, heartbeatMs: isLoaded ? run.heartbeat_s * 1000 : Infinity });
      return {
        run,
        now,
        isLoaded,
        times,
        full,
        roots,
        byId,
        state: stateOf(run, now, duration),
        bands: found,
        shares: shares(found, times.from, times.to),
        waits: waits(store.spans.values(), times.to),
        critical: criticalPath(roots, full.to),
      };
    },
  };
}
