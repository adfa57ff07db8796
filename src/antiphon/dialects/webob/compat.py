"""The names that libraries import from WebOb's `compat` module, which supported both Python 2 and 3.

``cgi_FieldStorage`` is the class to pass to ``isinstance`` to recognize uploaded files.
"""

from collections.abc import Iterable, MutableMapping
from html import escape
from queue import Empty, Queue
from typing import Any, NoReturn
from urllib import parse as urlparse
from urllib.parse import quote as url_quote
from urllib.parse import quote_plus
from urllib.parse import urlencode as url_encode
from urllib.request import urlopen as url_open

from antiphon.dialects.webob.field_storage import FieldStorage as cgi_FieldStorage
from antiphon.dialects.webob.field_storage import parsed_header as parse_header
from antiphon.dialects.webob.util import bytes_, parse_qsl_text, text_, unquote, url_unquote

__all__ = [
    "PY2", "PY3", "Empty", "Iterable", "MutableMapping", "Queue", "bytes_", "cgi_FieldStorage", "class_types",
    "escape", "integer_types", "iteritems_", "itervalues_", "long", "native_", "parse_header", "parse_qsl_text",
    "quote_plus", "reraise", "string_types", "text_", "text_type", "unquote", "url_encode", "url_open", "url_quote",
    "url_unquote", "urlparse",
]  # fmt: skip

PY2 = False
PY3 = True
string_types = (str,)
integer_types = (int,)
class_types = type
text_type = str
long = int
native_ = text_


def reraise(exc_info: Any) -> NoReturn:
    """Raise the exception in a triple returned by `sys.exc_info`."""
    raise exc_info[1].with_traceback(exc_info[2])


def iteritems_(d: Any) -> Any:
    """Return an iterator over a mapping's items."""
    return d.items()


def itervalues_(d: Any) -> Any:
    """Return an iterator over a mapping's values."""
    return d.values()
