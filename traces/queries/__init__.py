"""Reading across runs: nouns, each with its number of queries."""
