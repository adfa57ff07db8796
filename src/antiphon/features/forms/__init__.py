"""Forms made from typed classes: read, checked, and shown again with their errors."""

__reads__ = "anything"
