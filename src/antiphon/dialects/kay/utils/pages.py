"""Pages made of templates, by Jinja where that is installed."""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from antiphon.dialects.kay.current import current_call
from antiphon.dialects.kay.werkzeug.wrappers.base_response import Response
from antiphon.dialects.werkzeug.urls.quoting import url_quote
from antiphon.dialects.werkzeug.utils.imports import import_string


def url_for(endpoint: str, **args: Any) -> str:
    """The URL of an endpoint with these values; what its rule has no place for becomes the query.

    It is a path; with ``_external=True`` it has scheme and host. ``_anchor`` is appended after a `#`. Raises BuildError
    for what no rule leads to, and RuntimeError outside of a request.
    """
    anchor, is_external = args.pop("_anchor", None), args.pop("_external", False)
    url = current_call().adapter.build(endpoint, args, force_external=is_external)
    return url if anchor is None else f"{url}#{url_quote(anchor)}"


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


def render_json_response(data: Any, mimetype: str = "application/json", **kwargs: Any) -> Response:
    """Data as JSON in a response, which is made with the other arguments, too. Raises TypeError for other data."""
    return current_call().app.response_class(json.dumps(data), mimetype=mimetype, **kwargs)
