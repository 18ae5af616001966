"""What the approval queue's pages and calls read."""
