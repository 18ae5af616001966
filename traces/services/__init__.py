"""Verbs of the traces app: what writes."""
