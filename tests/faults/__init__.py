"""The fault matrix: each part of a console is broken in each way, with real processes under load. `make faults`."""
