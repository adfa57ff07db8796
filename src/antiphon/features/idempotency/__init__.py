"""Writes that happen once, even if a client sends them several times."""
