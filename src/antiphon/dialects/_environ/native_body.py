"""Environs of native requests whose bodies are received while they are read."""

from io import BufferedReader, BytesIO, RawIOBase
from typing import TYPE_CHECKING, Any, TypeVar

from antiphon.adapters.foreign.wsgi import head_environ, make_environ
from antiphon.http.limits import Limits

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from antiphon.request.request import Request

UNBOUNDED = 1 << 62
"""More bytes than any body has."""
CHUNK = 64 << 10
"""Bytes that are read at once."""
_NO_LIMITS = Limits(body=UNBOUNDED, memory=UNBOUNDED)


class NativeBody(RawIOBase):
    """The body of a native request, which is received on a thread while it is read, and not kept.

    It puts itself into the environ. It is made where the server wants bodies received.
    """

    def __init__(self, request: "Request", environ: "WSGIEnvironment") -> None:
        self.content = content = request.content
        self.environ = environ
        self._rest = b""
        content.is_kept = False
        if content.loop is None and not request.head.blocks:
            from asyncio import get_running_loop

            content.loop = get_running_loop()
        environ["wsgi.input"] = BufferedReader(self, CHUNK)
        environ["wsgi.input_terminated"] = True
        environ.pop("HTTP_TRANSFER_ENCODING", None)

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Receive the next bytes, and return how many. Raises what ``receive`` raises."""
        if not self._rest:
            self._rest = self.receive()
        size = min(len(buffer), len(self._rest))
        buffer[:size], self._rest = self._rest[:size], self._rest[size:]
        return size

    def receive(self) -> bytes:
        """Receive the next chunk; b"" at the end. Dialects override it, to raise errors of their own."""
        return self.content.advance_on_thread(_NO_LIMITS)


B = TypeVar("B", bound=NativeBody)


def environ_and_body(request: "Request", kind: type[B]) -> "tuple[WSGIEnvironment, B | None]":
    """Return an environ for a native request, and the body in it that is still to come, of a class, if there is one."""
    if request.content.is_complete:  # an application around this one has received it
        return make_environ(request), None
    environ = head_environ(request.head)
    if request.head.has_body:
        return environ, kind(request, environ)
    environ["wsgi.input"] = BytesIO()
    return environ, None
