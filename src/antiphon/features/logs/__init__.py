"""Logs of requests: the access log, and formatters and filters for `logging` that include the request's id."""

__reads__ = "named"
