"""Templates as a request renders them: the interface of an application's templates."""

from typing import Any, Protocol


class TemplateRenderer(Protocol):
    """The templates of an application, rendered for one request."""

    def render(self, template: str, /, *, _block: str | None = None, **data: Any) -> str:
        """Return the text of a template, or of one block of it. Raises what the template does.

        Names of data must not begin with an underscore, as those of options do.
        """
        ...

    def content_type(self, template: str, /) -> str:
        """Return the media type of a template's text, by its name."""
        ...
