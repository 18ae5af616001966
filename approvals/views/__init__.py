"""Pages of the approval queue."""
