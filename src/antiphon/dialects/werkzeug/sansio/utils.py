"""The host and URL of a request and the length of its body, from values instead of an environ."""

from antiphon.dialects._environ.streams import body_length
from antiphon.dialects.werkzeug.wsgi import host_is_trusted
from antiphon.dialects.werkzeug.wsgi import host_of as get_host
from antiphon.dialects.werkzeug.wsgi import url_of as get_current_url

__all__ = ["get_content_length", "get_current_url", "get_host", "host_is_trusted"]


def get_content_length(http_content_length: str | None = None, http_transfer_encoding: str | None = None) -> int | None:
    """Return a body's number of bytes, from two headers; None if it is unknown, 0 if the header is malformed."""
    return body_length(http_content_length, http_transfer_encoding)
