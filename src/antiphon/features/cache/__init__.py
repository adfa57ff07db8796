"""A shared cache of handlers' responses (RFC 9111)."""
