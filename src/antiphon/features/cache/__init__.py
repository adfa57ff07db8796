"""A shared cache of handlers' responses (RFC 9111)."""

__reads__ = "named"
