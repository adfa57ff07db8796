"""Metrics of all processes of a server, for Prometheus."""
