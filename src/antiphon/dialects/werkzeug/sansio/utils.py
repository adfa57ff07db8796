"""Where a request was sent to, and how long its body is, of values instead of an environ."""

from antiphon.dialects.werkzeug.wsgi.limited_stream import length_of_body as get_content_length
from antiphon.dialects.werkzeug.wsgi.places import host_is_trusted
from antiphon.dialects.werkzeug.wsgi.places import host_of as get_host
from antiphon.dialects.werkzeug.wsgi.places import url_of as get_current_url

__all__ = ["get_content_length", "get_current_url", "get_host", "host_is_trusted"]
