"""Templates, as a feature of an app or a blueprint.

app.use(Templates("templates"))
"""

import os
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from jinja2 import BaseLoader, Environment, Template, TemplateNotFound

from antiphon.app.blueprint import Blueprint, Routes
from antiphon.explanations import explained
from antiphon.features.templates.blocks import render_blocks
from antiphon.features.templates.environment import TemplateEnvironment, content_type_of, in_front_of, loader_of
from antiphon.features.templates.rendering import render
from antiphon.handler.errors import is_debug
from antiphon.paths import caller_file, folder_beside
from antiphon.request.dependencies import OfRequest
from antiphon.request.request import Request
from antiphon.response.template_data import check_data

if TYPE_CHECKING:
    from antiphon.app.application import App


class Templates:
    """A feature that renders the templates of folders by Jinja2, for ``Page`` and ``Response.template``.

    Folders are searched in their order; a relative one is beside the file whose code makes this object. A loader of
    Jinja2 may stand for a folder. Values are escaped, unless the template's name ends with ".txt", ".text", ".md" or
    ".csv"; a name that nobody has given is an error. Besides its data, a template knows ``request``, ``url_for``, and
    what the application shares.

    The templates of a blueprint are looked for first, where its routes answer, and then those of the application.
    With ``enable_async``, pages of ``async def`` handlers may await: what a template calls or loops over may be async.
    Changed templates are loaded again in the debug mode. Raises ValueError for a folder that is not there, TypeError
    without one.
    """

    environment: Environment
    """The environment of Jinja2, for filters, tests and globals: ``templates.environment.filters["money"] = money``."""

    def __init__(self, *folders: str | os.PathLike[str] | BaseLoader, enable_async: bool = False) -> None:
        file = caller_file()
        found = [each if isinstance(each, BaseLoader) else folder_beside(file, each) for each in folders]
        if not found:
            raise explained("bad-feature-option", TypeError('Templates needs a folder: Templates("templates")'))
        self.environment = TemplateEnvironment(loader_of(found))
        self._renderer = Renderer(self.environment, enable_async)
        self._in_front_of: dict[Renderer, Renderer] = {}

    def install(self, app: Routes) -> None:
        """Provide ``request.templates``, for the whole application or for a blueprint."""
        if is_debug():
            self.environment.auto_reload = True
        if isinstance(app, Blueprint):
            app.before_request(self._choose)
        else:
            cast("App", app).provide(Request.templates, self._of_request)

    def _of_request(self, request: Request) -> "RequestTemplates":
        return RequestTemplates(self._renderer, request)

    def _choose(self, request: Request) -> None:
        """Have the blueprint's own templates looked for first, from here on."""
        above = cast("RequestTemplates", request.templates).renderer
        if above not in self._in_front_of:
            environment = in_front_of(self.environment, above.environment)
            self._in_front_of[above] = Renderer(environment, self._renderer.is_async or above.is_async)
        request.templates = RequestTemplates(self._in_front_of[above], request)


class Renderer:
    """An environment, and its twin whose templates may await, compiled from the same text."""

    def __init__(self, environment: Environment, is_async: bool) -> None:
        self.environment = environment
        self.is_async = is_async

    @cached_property
    def async_environment(self) -> Environment:
        """The twin, with the filters, tests and globals of the environment."""
        return self.environment.overlay(enable_async=True)


class RequestTemplates(OfRequest):
    """The templates that answer a request, which they know."""

    def __init__(self, renderer: Renderer, request: Request) -> None:
        super().__init__(request)
        self.renderer = renderer

    def render(self, template: str, /, *, _block: str | None = None, **data: Any) -> str:
        """Return the text of a template, or of one block of it, rendered where this is called.

        Raises what the template does, LookupError for a block that it does not have, TypeError for data under names
        that are not theirs: those that begin with an underscore, and ``request``.
        """
        check_data(self.render, data)
        found, variables = self.find(template), self.variables(data)
        return render(found, variables) if _block is None else render_blocks(found, [_block], variables)[_block]

    def content_type(self, template: str, /) -> str:
        """Return the media type of a template's text, by its name: HTML for most."""
        return content_type_of(template)

    def find(self, template: str, *, is_async: bool = False) -> Template:
        """Return a template. Raises TemplateNotFound, and TemplateSyntaxError."""
        environment = self.renderer.async_environment if is_async else self.renderer.environment
        try:
            return environment.get_template(template)
        except TemplateNotFound as error:
            raise explained("template-not-found", error)  # noqa: B904 - the same error

    def variables(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Return data with the request. Raises TypeError for data under that name."""
        if "request" in data:
            raise explained(
                "request-in-data", TypeError("templates know the request as `request`: give the data another name")
            )
        return {**data, "request": self._request}
