"""The default content types of answers."""

HTML = "text/html; charset=utf-8"
TEXT = "text/plain; charset=utf-8"
