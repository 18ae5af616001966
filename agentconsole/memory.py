"""Python's garbage collector, set for processes that take in batches."""

import gc


def settle_memory() -> None:
    """Take what is loaded by now out of the collector's sight, and let it look less often.

    A batch of 512 items makes some 20,000 objects that all die with it. With the stock thresholds the collector walked
    the whole of Django twice a batch: a quarter of ingest's time. Much rarer than this, requests that end in cycles pile
    up with their bodies: 100 MB of them at a threshold of 50,000.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)
