"""Pyramid's applications, over the WebOb dialect."""

__version__ = "2.1"
