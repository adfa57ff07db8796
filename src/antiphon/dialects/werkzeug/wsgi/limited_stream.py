"""The body of a request as a stream that ends where the body ends, with this dialect's errors."""

from typing import IO, TYPE_CHECKING

from antiphon.dialects._environ import streams
from antiphon.dialects.werkzeug.exceptions.bad_request import ClientDisconnected
from antiphon.dialects.werkzeug.exceptions.client_errors import RequestEntityTooLarge

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


class LimitedStream(streams.LimitedStream):
    """The next ``limit`` bytes of a stream; with ``is_max`` those up to its end, of which ``limit`` may be read.

    If the stream ends earlier or fails, ``on_disconnect`` raises ClientDisconnected; if more is read than the maximum,
    ``on_exhausted`` raises RequestEntityTooLarge. Both may be overridden.
    """

    too_large = RequestEntityTooLarge
    disconnected = ClientDisconnected


def get_content_length(environ: "WSGIEnvironment") -> int | None:
    """Return the number of bytes of the body; None if it is unknown, 0 if the header is malformed."""
    return streams.body_length(environ.get("CONTENT_LENGTH"), environ.get("HTTP_TRANSFER_ENCODING"))


def get_input_stream(
    environ: "WSGIEnvironment", safe_fallback: bool = True, max_content_length: int | None = None
) -> IO[bytes]:
    """Return the body as a stream that can be read to its end; an empty one if its end is unknown.

    With ``safe_fallback=False`` that is the server's own stream. Raises RequestEntityTooLarge for a body whose declared
    length is above ``max_content_length``; the stream raises it for a body that grows beyond.
    """
    return streams.body_stream(environ, LimitedStream, safe_fallback, max_content_length)
