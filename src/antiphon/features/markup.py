"""Text that is HTML as it is, for templates and responses."""


class Markup(str):
    """Text that templates don't escape, and that a handler may return as a page. What is made of it is plain text."""

    __slots__ = ()

    def __html__(self) -> str:
        """Return the text, which is HTML."""
        return str(self)
