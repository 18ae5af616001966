"""How one run is laid out in time: its state in words, phases, nested spans, kept texts. Pure: works on rows in memory.

The browser does the same with the live log (static/js/run/); tests/browser/test_run_twins.py holds the two to the same words.
"""
