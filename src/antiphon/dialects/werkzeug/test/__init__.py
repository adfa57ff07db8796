"""The contents of `werkzeug.test`: a builder of environs, and a client that calls an application."""

from antiphon.dialects.werkzeug.test.builder import (
    EnvironBuilder,
    create_environ,
    encode_multipart,
    stream_encode_multipart,
)
from antiphon.dialects.werkzeug.test.client import Client, ClientRedirectError, Cookie, TestResponse, run_wsgi_app

__all__ = [
    "Client", "ClientRedirectError", "Cookie", "EnvironBuilder", "TestResponse", "create_environ",
    "encode_multipart", "run_wsgi_app", "stream_encode_multipart",
]  # fmt: skip
