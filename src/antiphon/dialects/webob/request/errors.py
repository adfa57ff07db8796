"""Errors of a request's body, as responses of ``webob.exc``. Imported on use, since responses are."""

from antiphon.dialects.webob.exc import HTTPBadRequest


class MalformedForm(HTTPBadRequest, ValueError):
    """A form that can't be read (400)."""
