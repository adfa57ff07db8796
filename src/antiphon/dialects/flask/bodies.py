"""The body of a native request as `wsgi.input`: read on a thread as it comes, or loaded for code on the event loop."""

from io import BufferedReader, RawIOBase
from typing import TYPE_CHECKING, Any

from antiphon.dialects.werkzeug.exceptions.aborter import default_exceptions
from antiphon.dialects.werkzeug.exceptions.bad_request import BadRequest, ClientDisconnected
from antiphon.handler.contract import ON_LOOP
from antiphon.http import errors
from antiphon.http.limits import Limits

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from antiphon.request.request import Request as NativeRequest

_UNBOUNDED = 1 << 62


class NativeBody(RawIOBase):
    """The body of a native request, in the environ that was made of it.

    On a thread it is received while it is read, and not kept. For an event loop, where nothing may wait for it, it is
    loaded beforehand: as far as the limit of the application allows, or that of Antiphon if it is higher, so that a
    view may raise the former. What exceeds both is not received, and can't be read there.
    """

    def __init__(self, request: "NativeRequest", environ: "WSGIEnvironment") -> None:
        self._request = request
        self._environ = environ
        self._rest = b""
        self._limits = Limits(body=_UNBOUNDED, memory=_UNBOUNDED)
        content = request.content
        content.is_kept = content.is_complete
        if not request.head.blocks:
            from asyncio import get_running_loop

            content.loop = get_running_loop()
        environ["wsgi.input"] = BufferedReader(self, 64 << 10)
        environ["wsgi.input_terminated"] = True
        environ.pop("HTTP_TRANSFER_ENCODING", None)

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Receive the next bytes, and return how many. Raises HTTP exceptions for a body that breaks off."""
        if not self._rest:
            try:
                self._rest = self._request.content.advance_on_thread(self._limits)
            except (errors.HTTPError, OSError) as error:
                raise translated(error) from error
        size = min(len(buffer), len(self._rest))
        buffer[:size], self._rest = self._rest[:size], self._rest[size:]
        return size

    async def load(self, most: int | None) -> None:
        """Receive all of a body of at most so many bytes, in steps. A longer one is left, as is one that fails."""
        content = self._request.content
        if content.is_complete or content.received:
            return
        limit = _UNBOUNDED if most is None else max(most, Limits().body)
        length = content.readable_length
        if length is not None and length > limit:
            return
        await ON_LOOP
        content.is_kept = True
        try:
            await content.aload(Limits(body=limit, memory=limit))
        except (errors.HTTPError, OSError):
            return  # whoever reads the body gets the error
        self._environ["wsgi.input"] = content.open()
        if content.is_decoded:
            self._environ.pop("HTTP_CONTENT_ENCODING", None)
            self._environ["CONTENT_LENGTH"] = str(content.size)


def translated(error: Exception) -> BadRequest | Any:
    """Return the HTTP exception for an error of a body."""
    if isinstance(error, errors.ClientDisconnected) or not isinstance(error, errors.HTTPError):
        return ClientDisconnected()
    return default_exceptions.get(error.status, BadRequest)(error.detail)
