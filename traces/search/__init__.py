"""Searching the texts of runs: what a word is, what people ask for, what they are shown of it. Pure."""
