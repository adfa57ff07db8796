"""A shared cache in front of handlers (RFC 9111)."""
