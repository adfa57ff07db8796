"""Logs of requests: the access log, and formats and filters for `logging` that know the request."""
