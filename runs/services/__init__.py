"""The verbs of runs: nothing else but these and `runs.ingest` writes."""
