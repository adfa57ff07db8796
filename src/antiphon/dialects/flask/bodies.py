"""Request bodies, read on a thread as they arrive, or loaded in advance for code on an event loop."""

from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING, Any

from antiphon import Limits
from antiphon.dialects.werkzeug.exceptions.base import BadRequest, ClientDisconnected
from antiphon.dialects.werkzeug.exceptions.statuses import default_exceptions
from antiphon.dialects.werkzeug.wsgi import LimitedStream
from antiphon.embedding import ON_LOOP, NotLoadedError, ReceivedInput, is_on_loop
from antiphon.http import errors
from antiphon.http.limits import UNBOUNDED

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from antiphon.dialects.flask.wrappers import Request

_CHUNK = 64 << 10
"""The number of bytes to read at once."""
SERVER_BODY = "antiphon.flask.body"
"""The environ key for a body that was read for code on an event loop."""
_IN_MEMORY = 1 << 20
"""The maximum number of bytes of a body in memory. Larger bodies are stored in a file."""


class NativeBody(ReceivedInput):
    """The body of a native request, as its environ provides it.

    On a thread, the body is received as it is read, and is not stored. Code on an event loop must not block, so the
    body is loaded beforehand: up to the application's limit or Antiphon's, whichever is higher, since a view may raise
    the application's limit. Anything beyond both is not received and can't be read on the loop.
    """

    def receive(self) -> bytes:
        """Receive the next chunk. Raises an HTTP exception if the body is cut short or too slow."""
        try:
            return super().receive()
        except NotLoadedError:
            raise RuntimeError(
                "the body was not loaded before the `async def` view because it exceeds MAX_CONTENT_LENGTH:"
                " set request.max_content_length in a before_request function, or write the view as `def`"
            ) from None
        except (errors.HTTPError, OSError) as error:
            raise translated(error) from error

    async def load(self, request: "Request") -> None:
        """Receive a whole body. Stop at the request's limit or on an error."""
        content, most = self.content, request.max_content_length
        if content.is_complete or content.received or self.failure is not None:
            return
        limit = _bound(most)
        length = content.readable_length
        if length is not None and length > limit:
            return
        await ON_LOOP
        content.is_kept = True
        try:
            await content.aload(Limits(body=limit, memory=limit))
        except (errors.HTTPError, OSError) as error:
            self.failure = error
            return
        self.environ["wsgi.input"] = content.open()
        if content.is_decoded:
            self.environ.pop("HTTP_CONTENT_ENCODING", None)
        self.environ["CONTENT_LENGTH"] = str(content.size)


class ServerBody:
    """The body of a request from a WSGI server.

    Code on the background loop, which all requests share, can't wait for it, so it is read beforehand, up to the same
    limit as a native body. All contexts of a request share it.
    """

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None

    @classmethod
    def of(cls, environ: "WSGIEnvironment") -> "ServerBody":
        body: ServerBody = environ.setdefault(SERVER_BODY, cls())
        return body

    async def load(self, request: "Request") -> None:
        """Read a body on this thread.

        If it exceeds the request's limit, read only part of it, or nothing.
        """
        environ, most = request.environ, request.max_content_length
        source = environ["wsgi.input"]
        is_begun = self._file is not None or "stream" in vars(request)
        if is_begun or type(source) is BytesIO or is_on_loop():
            return
        bound = _bound(most)
        length = request.content_length
        if length is None and "wsgi.input_terminated" in environ:
            environ["wsgi.input"] = LimitedStream(self._stored(source, bound + 1), bound, is_max=True)
        elif length and length <= bound:
            environ["wsgi.input"] = self._stored(source, length)

    def _stored(self, source: IO[bytes], left: int) -> IO[bytes]:
        """Copy up to ``left`` bytes of a source to a file and return the file."""
        self._file = file = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - closed with the request
        while left and (chunk := source.read(min(left, _CHUNK))):
            file.write(chunk)
            left -= len(chunk)
        file.seek(0)
        return file

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


def _bound(most: int | None) -> int:
    """Return how many bytes to receive for code on an event loop if the application allows ``most``."""
    return UNBOUNDED.body if most is None else max(most, Limits().body)


def translated(error: Exception) -> BadRequest | Any:
    if isinstance(error, errors.ClientDisconnected) or not isinstance(error, errors.HTTPError):
        return ClientDisconnected()
    return default_exceptions.get(error.status, BadRequest)(error.detail)
