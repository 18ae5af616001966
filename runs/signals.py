"""What other apps may hear of runs. Receivers are called inside the transaction that did it: what they raise undoes it."""

from django.dispatch import Signal

# run_ids: list[UUID], sender Run. Ingest made these runs, or learnt what their request or their trace is called.
runs_appeared = Signal()
