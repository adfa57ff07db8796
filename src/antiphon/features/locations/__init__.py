"""Locations of clients, by their IP addresses, from a file."""
