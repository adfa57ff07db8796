"""Runs: streams that outlive their requests, produced once and followed by any number of clients in any process."""

__reads__ = "named"
