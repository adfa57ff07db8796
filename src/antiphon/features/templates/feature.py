"""Templates, as a feature of an app or a blueprint.

app.use(Templates("templates"))
"""

import os
from collections.abc import Mapping
from functools import cached_property, reduce
from typing import Any, cast

from jinja2 import BaseLoader, Environment, Template, TemplateNotFound

from antiphon import App, Blueprint, Request, explained, is_debug
from antiphon.embedding import OfRequest, check_template_data, errors_name_it, folders_beside
from antiphon.features.templates.blocks import render_blocks
from antiphon.features.templates.environment import TemplateEnvironment, content_type_of, in_front_of, loader_of, render
from antiphon.types import Routes


@errors_name_it
class Templates:
    """A feature that renders templates from folders with Jinja2, for ``Page`` and ``Response.template``.

        app.use(Templates("templates"))

    Folders are searched in order; a relative path is relative to the file whose code creates this object. You can also
    pass a Jinja2 loader. Values are escaped, unless the template's name ends with ".txt", ".text", ".md" or ".csv". An
    undefined name is an error. In addition to its data, a template can use ``request``, ``url_for``, and the values
    that the application shares.

    In a blueprint's routes, the blueprint's templates are searched first, and then the application's, if it has any.
    ``overridable`` templates, such as those of an extension, are searched last, so that the application can replace
    them with templates of the same names.
    """

    environment: Environment
    """The Jinja2 environment, for filters, tests and globals: ``templates.environment.filters["money"] = money``."""

    def __init__(
        self, *folders: str | os.PathLike[str] | BaseLoader, enable_async: bool = False, overridable: bool = False
    ) -> None:
        """An application can use several such features.

        With ``enable_async``, pages of ``async def`` handlers can await: templates can call async functions and loop
        over async iterators. In debug mode, changed templates are reloaded. Raises ValueError for a missing folder, and
        TypeError if no folder is given.
        """
        paths = iter(folders_beside(*[each for each in folders if not isinstance(each, BaseLoader)]))
        found = [each if isinstance(each, BaseLoader) else next(paths) for each in folders]
        if not found:
            raise explained("bad-feature-option", 'Templates needs a folder: Templates("templates")', TypeError)
        self.environment = TemplateEnvironment(loader_of(found))
        self._renderer = Renderer(self.environment, enable_async, overridable)

    def install(self, app: Routes) -> None:
        """Provide ``request.templates``, for the whole application or for a blueprint.

        Raises ValueError for an application's second feature whose templates are not overridable.
        """
        if is_debug():
            self.environment.auto_reload = True
        if isinstance(app, Blueprint):
            app.before_request(self._choose)
            return
        others = _renderers(app)
        if not others or not (self._renderer.is_overridable or all(each.is_overridable for each in others)):
            cast(App, app).provide(Request.templates, _AppTemplates(app, self._renderer).of_request)

    def _choose(self, request: Request) -> None:
        """Search the templates of a blueprint and its parents for the rest of the request."""
        renderer = self._renderer
        if Request.templates in request or request.app.is_provided(Request.templates):
            renderer = renderer.with_those_of(cast("RequestTemplates", request.templates).renderer)
        request.templates = RequestTemplates(renderer, request)


def _renderers(app: Routes) -> list["Renderer"]:
    return [each._renderer for each in app.features if isinstance(each, Templates)]  # noqa: SLF001 - of this module


class _AppTemplates:
    """The templates of an application: its own, followed by its features' overridable templates, in order."""

    def __init__(self, app: Routes, first: "Renderer") -> None:
        self._app = app
        self._first = first

    def of_request(self, request: Request) -> "RequestTemplates":
        return RequestTemplates(self._renderer, request)

    @cached_property
    def _renderer(self) -> "Renderer":
        known = dict.fromkeys([self._first, *_renderers(self._app)])
        first, *last = sorted(known, key=lambda each: each.is_overridable)
        return reduce(lambda above, each: each.with_those_of(above), last, first)


class Renderer:
    """An environment and its async counterpart, whose templates are compiled from the same source and can await."""

    def __init__(self, environment: Environment, is_async: bool, is_overridable: bool = False) -> None:
        self.environment = environment
        self.is_async = is_async
        self.is_overridable = is_overridable
        self._with: dict[Renderer, Renderer] = {}

    def with_those_of(self, above: "Renderer") -> "Renderer":
        """Return a renderer that also finds the templates of ``above``, which come first if this renderer's templates
        are overridable.
        """
        if above not in self._with:
            first, last = (above, self) if self.is_overridable else (self, above)
            environment = in_front_of(first.environment, last.environment)
            self._with[above] = Renderer(environment, first.is_async or last.is_async)
        return self._with[above]

    @cached_property
    def async_environment(self) -> Environment:
        """The async counterpart, with the same filters, tests and globals."""
        return self.environment.overlay(enable_async=True)


class RequestTemplates(OfRequest):
    """The templates for one request, which can use that request."""

    def __init__(self, renderer: Renderer, request: Request) -> None:
        super().__init__(request)
        self.renderer = renderer

    def render(self, template: str, /, *, _block: str | None = None, **data: Any) -> str:
        """Return the text of a template or of one of its blocks, rendered on the caller's thread.

        Raises any error raised by the template, LookupError for a block that it does not have, and TypeError for data
        under reserved names: ``request``, and names that begin with an underscore.
        """
        check_template_data(self.render, template, data)
        found, variables = self.find(template), self.variables(data)
        return render(found, variables) if _block is None else render_blocks(found, [_block], variables)[_block]

    def content_type(self, template: str, /) -> str:
        """Return the media type of a template's output, by the template's name: HTML for most."""
        return content_type_of(template)

    def find(self, template: str, *, is_async: bool = False) -> Template:
        """Return a template. Raises TemplateNotFound or TemplateSyntaxError."""
        environment = self.renderer.async_environment if is_async else self.renderer.environment
        try:
            return environment.get_template(template)
        except TemplateNotFound as error:
            raise explained("template-not-found", error)  # noqa: B904 - the same error

    def variables(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Return the data with the request added. Raises TypeError if the data already contains that name."""
        if "request" in data:
            raise explained(
                "request-in-data", "templates get the request as `request`: give the data a different name", TypeError
            )
        return {**data, "request": self._request}
