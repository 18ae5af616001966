"""The schedule: one beat of several leads and sends what is due, the others stand by."""
