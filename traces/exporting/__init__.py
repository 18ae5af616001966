"""A run, out of the console: as the items of the native ingest, alone or inside of OTLP, so that a console can take it in again."""
