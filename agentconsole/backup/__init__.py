"""Backup and restore of the embedded console: one archive, taken while it runs, proven before it is put back."""
