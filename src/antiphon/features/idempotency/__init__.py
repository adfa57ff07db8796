"""Writes that are carried out only once, even if a client sends them several times."""

__reads__ = "named"
