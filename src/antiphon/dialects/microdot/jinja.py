"""Jinja2 templates."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from typing import Any

from antiphon.embedding import missing_package

try:
    from jinja2 import Environment, FileSystemLoader, select_autoescape
except ModuleNotFoundError as error:
    raise missing_package(error, "templates") from error

from antiphon.features.templates.environment import DictEnvironment
from antiphon.features.templates.page import astream_of, stream_of


class Template:
    """A template from the templates folder, found by name.

    Other arguments are passed to Jinja2's ``Environment.get_template``. Raises TemplateNotFound or TemplateSyntaxError.
    """

    jinja_env: Environment | None = None
    """The environment of all templates; None until ``initialize`` is called or the first template is loaded."""

    @classmethod
    def initialize(cls, template_dir: str = "templates", enable_async: bool = False, **kwargs: Any) -> None:
        """Make a new environment. Other arguments are passed to Jinja2's ``Environment``.

        With ``enable_async``, templates may await. Values are escaped in files whose names end in ".html", ".htm" or
        ".xml".
        """
        options = {"loader": FileSystemLoader(template_dir), "autoescape": select_autoescape(), **kwargs}
        cls.jinja_env = DictEnvironment(enable_async=enable_async, **options)

    def __init__(self, template: str, **kwargs: Any) -> None:
        if self.jinja_env is None:
            self.initialize()
        environment: Any = self.jinja_env
        self.name = template
        self.template = environment.get_template(template, **kwargs)

    def render(self, *args: Any, **kwargs: Any) -> str:
        """Render the template with the given values, passed in the same way as to ``dict``, and return the text."""
        text: str = self.template.render(*args, **kwargs)
        return text

    def generate(self, *args: Any, **kwargs: Any) -> Iterator[str]:
        """Render the template in chunks. Errors before the first chunk are raised immediately."""
        return stream_of(self.template.generate(*args, **kwargs))

    async def render_async(self, *args: Any, **kwargs: Any) -> str:
        """Render a template that may await and return the text."""
        text: str = await self.template.render_async(*args, **kwargs)
        return text

    def generate_async(self, *args: Any, **kwargs: Any) -> AsyncIterator[str]:
        """Render a template that may await, in chunks."""
        return _chunks(self.template.generate_async(*args, **kwargs))


async def _chunks(pieces: AsyncGenerator[str]) -> AsyncGenerator[str]:
    chunks: Any = await astream_of(pieces)
    try:
        async for chunk in chunks:
            yield chunk
    finally:
        await chunks.aclose()
