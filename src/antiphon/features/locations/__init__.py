"""Locations of clients by their addresses, from a file."""
