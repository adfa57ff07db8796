"""Pyramid's applications, over the WebOb dialect."""
