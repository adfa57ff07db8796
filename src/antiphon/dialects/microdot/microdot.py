"""The `microdot.microdot` module, which contains Microdot's core."""

from antiphon.dialects.microdot.application import Microdot
from antiphon.dialects.microdot.dispatch import invoke_handler, iscoroutine
from antiphon.dialects.microdot.errors import HTTPException, abort
from antiphon.dialects.microdot.mappings import MultiDict, NoCaseDict, urldecode, urlencode
from antiphon.dialects.microdot.request import AsyncBytesIO, Request
from antiphon.dialects.microdot.response import Response, redirect, send_file
from antiphon.dialects.microdot.routing import URLPattern

__all__ = [
    "AsyncBytesIO", "HTTPException", "Microdot", "MultiDict", "NoCaseDict", "Request", "Response", "URLPattern",
    "abort", "invoke_handler", "iscoroutine", "redirect", "send_file", "urldecode", "urlencode",
]  # fmt: skip
