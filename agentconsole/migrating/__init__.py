"""Migrations of a console that goes on working meanwhile; the rule is in docs/operations.md."""
