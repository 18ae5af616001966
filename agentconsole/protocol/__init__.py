"""The vocabulary that the console and its SDK share. Pure Python: no Django, no I/O."""
