"""Requests that failed, kept without their secrets, to be replayed and turned into tests."""

__reads__ = "named"
