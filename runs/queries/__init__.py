"""Reads for pages, sockets and APIs. Each says how many queries it makes."""
