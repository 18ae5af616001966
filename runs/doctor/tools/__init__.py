"""The doctor's tools: plain functions that answer or raise."""
