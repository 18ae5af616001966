"""The doctor's sub-agents. Each has the QUERY that it is asked, and `investigate`, which calls tools and finds things."""
