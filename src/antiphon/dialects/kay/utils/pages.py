"""Pages made of templates, by Jinja where that is installed."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from antiphon.dialects.kay.current import current_call
from antiphon.dialects.kay.utils.url_for import url_for
from antiphon.dialects.kay.werkzeug.wrappers.response import Response
from antiphon.dialects.werkzeug.utils.imports import import_string

Processor = Callable[[Any], Mapping[str, Any]]


def render_to_string(
    template: str, context: Mapping[str, Any] | None = None, processors: Iterable[Processor | str] | None = None
) -> str:
    """The text of a template: `index.html` of the TEMPLATE_DIRS, or `app/index.html` of an installed package.

    It knows ``request``, ``url_for``, what ``processors`` and the CONTEXT_PROCESSORS give of the request, and, before
    these, the ``context``. Raises ImportError without Jinja, and its TemplateNotFound.
    """
    app, request, _ = current_call()
    values: dict[str, Any] = {"request": request, "url_for": url_for}
    for processor in (*app.app_settings.CONTEXT_PROCESSORS, *(processors or ())):
        values |= (import_string(processor) if isinstance(processor, str) else processor)(request)
    text: str = app.templates.get_template(template).render({**values, **(context or {})})
    return text


def render_to_response(
    template: str,
    context: Mapping[str, Any] | None = None,
    mimetype: str = "text/html",
    processors: Iterable[Processor | str] | None = None,
    **kwargs: Any,
) -> Response:
    """The same as a response, which is made with the other arguments, too."""
    make = current_call().app.response_class
    return make(render_to_string(template, context, processors), mimetype=mimetype, **kwargs)
