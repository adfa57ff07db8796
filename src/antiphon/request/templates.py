"""Templates, as a request has them rendered: the interface of what an application uses for them."""

from typing import Any, Protocol


class TemplateRenderer(Protocol):
    """The templates of an application, which know one request."""

    def render(self, template: str, /, *, _block: str | None = None, **data: Any) -> str:
        """Return the text of a template, or of one block of it. Raises what the template does.

        Names of data begin with no underscore, since those of options do.
        """
        ...

    def content_type(self, template: str, /) -> str:
        """Return the media type of a template's text, by its name."""
        ...
