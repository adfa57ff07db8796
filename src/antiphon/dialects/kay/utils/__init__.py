"""The functions of `kay.utils`: pages rendered with Jinja, JSON, and URLs of views."""

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

    Values that are not part of the rule become the query. The URL is a path; with ``_external=True``, it has a scheme
    and host. ``_anchor`` is appended after a `#`. Raises BuildError if no rule leads to the endpoint, or RuntimeError
    outside of a request.
    """
    anchor, is_external = args.pop("_anchor", None), args.pop("_external", False)
    url = current_call().adapter.build(endpoint, args, force_external=is_external)
    return url if anchor is None else f"{url}#{url_quote(anchor)}"


def reverse(endpoint: str, _external: bool = False, method: str = "GET", **values: Any) -> str:
    """Return the URL of an endpoint's rule for a method, with these values. Raises the errors of ``url_for``."""
    return current_call().adapter.build(endpoint, values, method=method, force_external=_external)


Processor = Callable[[Any], Mapping[str, Any]]


def render_to_string(
    template: str, context: Mapping[str, Any] | None = None, processors: Iterable[Processor | str] | None = None
) -> str:
    """Return the rendered text of a template: `index.html` of the TEMPLATE_DIRS, or `app/index.html` of an installed
    package.

    The template knows ``request``, ``url_for``, the results of ``processors`` and of the CONTEXT_PROCESSORS, and the
    ``context``, which has priority. Raises ImportError without Jinja, or Jinja's TemplateNotFound.
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
    """Return a response with a rendered template. The other arguments are the response's."""
    make = current_call().app.response_class
    return make(render_to_string(template, context, processors), mimetype=mimetype, **kwargs)


def render_json_response(data: Any, mimetype: str = "application/json", **kwargs: Any) -> Response:
    """Return a response with data as JSON. The other arguments are the response's. Raises TypeError for other data."""
    return current_call().app.response_class(json.dumps(data), mimetype=mimetype, **kwargs)


__all__ = ["redirect", "render_json_response", "render_to_response", "render_to_string", "reverse", "url_for"]
