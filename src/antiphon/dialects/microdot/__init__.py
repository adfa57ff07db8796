"""The dialect of Microdot 2: Microdot's names and behaviour, over WSGI, ASGI and RSGI."""

from antiphon.dialects.microdot.application import Microdot
from antiphon.dialects.microdot.dispatch import iscoroutine
from antiphon.dialects.microdot.errors import abort
from antiphon.dialects.microdot.request import AsyncBytesIO, Request
from antiphon.dialects.microdot.response import Response, redirect, send_file
from antiphon.dialects.microdot.routing import URLPattern

__version__ = "2.7.0"
"""The version of Microdot whose names and behaviour the dialect provides."""

__all__ = [
    "AsyncBytesIO", "Microdot", "Request", "Response", "URLPattern", "abort", "iscoroutine", "redirect",
    "send_file",
]  # fmt: skip
