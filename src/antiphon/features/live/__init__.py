"""Live blocks: a block of a page is rendered again, and sent to who watches it, when a table that it reads changes."""

__reads__ = "named"
