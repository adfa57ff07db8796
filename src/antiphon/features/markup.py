"""Text that is HTML already, for templates and responses."""


class Markup(str):
    """Text that templates don't escape, and that a handler can return as a page. Its methods return plain text."""

    __slots__ = ()

    def __html__(self) -> str:
        """Return the text, which is HTML."""
        return str(self)
