"""Calling out to receivers: which addresses may be called, how a message is signed, how one is sent."""
