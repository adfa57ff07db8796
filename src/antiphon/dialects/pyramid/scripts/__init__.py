"""Pyramid's `pserve` command, for programs that call it."""
