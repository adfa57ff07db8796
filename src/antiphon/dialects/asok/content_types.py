"""The types of content that answers have by default."""

HTML = "text/html; charset=utf-8"
TEXT = "text/plain; charset=utf-8"
