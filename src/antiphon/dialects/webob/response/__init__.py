"""WebOb's response: status, headers and a body, as attributes and as a WSGI application."""

from antiphon.dialects.webob.response.content import (
    AppIterRange,
    EmptyResponse,
    ResponseBodyFile,
    gzip_app_iter,
    iter_close,
    iter_file,
)
from antiphon.dialects.webob.response.response import Response
from antiphon.dialects.webob.response.sending import filter_headers

__all__ = [
    "AppIterRange", "EmptyResponse", "Response", "ResponseBodyFile", "filter_headers", "gzip_app_iter",
    "iter_close", "iter_file",
]  # fmt: skip
