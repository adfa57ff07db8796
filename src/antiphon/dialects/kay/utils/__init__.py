"""The functions of `kay.utils`: Jinja templates, JSON responses, and URLs of views."""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from antiphon.dialects.kay.conf import current_call
from antiphon.dialects.kay.werkzeug.utils import redirect
from antiphon.dialects.kay.werkzeug.wrappers import Response
from antiphon.dialects.werkzeug.urls.iri import url_quote
from antiphon.dialects.werkzeug.utils import import_string


def url_for(endpoint: str, **args: Any) -> str:
    """Return the URL of an endpoint with these values.

    Values that the rule does not use form the query. The URL is a path. ``_external=True`` adds the scheme and host.
    ``_anchor`` is appended after a `#`. Raises BuildError if no rule matches the endpoint, or RuntimeError outside a
    request.
    """
    anchor, is_external = args.pop("_anchor", None), args.pop("_external", False)
    url = current_call().adapter.build(endpoint, args, force_external=is_external)
    return url if anchor is None else f"{url}#{url_quote(anchor)}"


def reverse(endpoint: str, _external: bool = False, method: str = "GET", **values: Any) -> str:
    """Return the URL of an endpoint's rule for a method, with these values. Raises the same errors as ``url_for``."""
    return current_call().adapter.build(endpoint, values, method=method, force_external=_external)


Processor = Callable[[Any], Mapping[str, Any]]


def render_to_string(
    template: str, context: Mapping[str, Any] | None = None, processors: Iterable[Processor | str] | None = None
) -> str:
    """Render a template: `index.html` from TEMPLATE_DIRS, or `app/index.html` from the installed package `app`.

    The template can use ``request``, ``url_for``, the results of CONTEXT_PROCESSORS and ``processors``, and the
    ``context``, which takes precedence. Raises ImportError if Jinja is not installed, or Jinja's TemplateNotFound.
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
    """Return a response with a rendered template. Other arguments are passed to the response."""
    make = current_call().app.response_class
    return make(render_to_string(template, context, processors), mimetype=mimetype, **kwargs)


def render_json_response(data: Any, mimetype: str = "application/json", **kwargs: Any) -> Response:
    """Return a response with data as JSON. Other arguments are passed to the response.

    Raises TypeError for data that JSON can't represent.
    """
    return current_call().app.response_class(json.dumps(data), mimetype=mimetype, **kwargs)


__all__ = ["redirect", "render_json_response", "render_to_response", "render_to_string", "reverse", "url_for"]
