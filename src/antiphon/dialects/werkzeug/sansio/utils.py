"""Functions that return a request's host, URL and body length, given values instead of an environ."""

from antiphon.dialects._environ.streams import body_length
from antiphon.dialects.werkzeug.wsgi import host_is_trusted
from antiphon.dialects.werkzeug.wsgi import host_of as get_host
from antiphon.dialects.werkzeug.wsgi import url_of as get_current_url

__all__ = ["get_content_length", "get_current_url", "get_host", "host_is_trusted"]


def get_content_length(http_content_length: str | None = None, http_transfer_encoding: str | None = None) -> int | None:
    """Return the body's length as given by two headers: None if it is unknown, 0 if the header is malformed."""
    return body_length(http_content_length, http_transfer_encoding)
