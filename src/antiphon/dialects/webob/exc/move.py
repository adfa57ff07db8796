"""The base class of redirects: exceptions with a Location."""

from collections.abc import Iterable
from string import Template
from typing import TYPE_CHECKING, Any

from antiphon.dialects.webob.exc.base import HTTPRedirection
from antiphon.dialects.webob.response.location import absolute_location, request_uri

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class _HTTPMove(HTTPRedirection):
    """A redirect to ``location``, a URL reference, or with ``add_slash`` to the request's own URL with a slash.

    Without either, it redirects to the request's own URL, without its query. Raises TypeError for both, and ValueError
    for a location with CR, LF or NUL.
    """

    explanation = "The resource has been moved to"
    body_template_obj = Template(
        '${explanation} <a href="${location}">${location}</a>;\nyou should be redirected automatically.\n'
        "${detail}\n${html_comment}"
    )

    def __init__(
        self,
        detail: Any = None,
        headers: Any = None,
        comment: Any = None,
        body_template: str | None = None,
        location: str | None = None,
        add_slash: bool = False,
        **kw: Any,
    ) -> None:
        super().__init__(detail, headers, comment, body_template, **kw)
        if location is not None and add_slash:
            raise TypeError("a redirect has a location, or adds a slash, not both")
        if location is not None:
            self.location = location
        self.add_slash = add_slash

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer a request. The exception is not changed, so that it can answer other requests."""
        answer = self.copy()
        answer.location = self._target(environ)
        return super(_HTTPMove, answer).__call__(environ, start_response)

    def _target(self, environ: "WSGIEnvironment") -> str:
        if self.location and not self.add_slash:
            return absolute_location(environ, self.location)
        url = request_uri(environ)
        if not self.add_slash:
            return url
        query = environ.get("QUERY_STRING")
        return f"{url}/?{query}" if query else f"{url}/"
