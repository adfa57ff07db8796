"""Metrics of all of a server's processes, for Prometheus."""

__reads__ = ()
