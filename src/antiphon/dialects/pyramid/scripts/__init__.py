"""Pyramid's command `pserve`, for programs that call it."""
