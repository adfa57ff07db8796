"""Bodies of requests: read on a thread as they arrive, or loaded in advance for code on an event loop."""

from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING, Any

from antiphon.dialects.werkzeug.exceptions.aborter import default_exceptions
from antiphon.dialects.werkzeug.exceptions.base import BadRequest, ClientDisconnected
from antiphon.dialects.werkzeug.wsgi import LimitedStream
from antiphon.embedding import ON_LOOP, NotLoadedError, ReceivedInput, is_on_loop
from antiphon.http import Limits, errors
from antiphon.http.limits import NO_BOUND

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from antiphon.dialects.flask.wrappers import Request

_CHUNK = 64 << 10
"""Bytes that are read at once."""
SERVER_BODY = "antiphon.flask.body"
"""The key of the body that was read for code on an event loop."""
_IN_MEMORY = 1 << 20
"""Bytes of a body above which it is kept in a file."""


class NativeBody(ReceivedInput):
    """The body of a native request, in the environ made from it.

    On a thread it is received while it is read, and not kept. For an event loop, where nothing may wait for it, it is
    loaded beforehand: as far as the limit of the application allows, or that of Antiphon if it is higher, so that a
    view may raise the former. What exceeds both is not received, and can't be read there.
    """

    def receive(self) -> bytes:
        """Receive the next chunk. Raises HTTP exceptions for a body that breaks off."""
        try:
            return super().receive()
        except NotLoadedError:
            raise RuntimeError(
                "this body was not loaded before the `async def` view, since it is longer than MAX_CONTENT_LENGTH:"
                " set request.max_content_length in a before_request function, or write the view as `def`"
            ) from None
        except (errors.HTTPError, OSError) as error:
            raise translated(error) from error

    async def load(self, request: "Request") -> None:
        """Receive a whole body, in steps. One above the request's limit is left, as is one that fails."""
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
    """The body of a request of a WSGI server. For code on the background loop, which all requests share, it is read
    beforehand, as far as a native one is. All contexts of one request share it.
    """

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None

    @classmethod
    def of(cls, environ: "WSGIEnvironment") -> "ServerBody":
        """Return the body of an environ."""
        body: ServerBody = environ.setdefault(SERVER_BODY, cls())
        return body

    async def load(self, request: "Request") -> None:
        """Read a body on this thread, in steps. One above the request's limit is left, or read in part."""
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
        """Return a file with ``left`` bytes of a source, or with all bytes up to its end."""
        self._file = file = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - closed with the request
        while left and (chunk := source.read(min(left, _CHUNK))):
            file.write(chunk)
            left -= len(chunk)
        file.seek(0)
        return file

    def close(self) -> None:
        """Close the file that contains the body."""
        if self._file is not None:
            self._file.close()


def _bound(most: int | None) -> int:
    """Return how many bytes are received for code on an event loop, where an application allows ``most``."""
    return NO_BOUND if most is None else max(most, Limits().body)


def translated(error: Exception) -> BadRequest | Any:
    """Return the HTTP exception for an error of a body."""
    if isinstance(error, errors.ClientDisconnected) or not isinstance(error, errors.HTTPError):
        return ClientDisconnected()
    return default_exceptions.get(error.status, BadRequest)(error.detail)
