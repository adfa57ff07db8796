"""Requests and jobs that are finished even if a process dies, on DBOS Transact."""

__reads__ = "named"
