"""The application as a handler of native requests, which come over ASGI and RSGI: it answers on a thread."""

from collections.abc import Iterable
from io import BufferedReader, BytesIO, RawIOBase
from typing import TYPE_CHECKING, Any, Literal

from antiphon.adapters.foreign.wsgi import from_wsgi, head_environ, make_environ
from antiphon.adapters.servable import Servable
from antiphon.dialects.webob.request import DisconnectionError
from antiphon.handler.context import set_current_request
from antiphon.handler.contract import ON_THREAD, failed
from antiphon.handler.release import release
from antiphon.http.errors import ClientDisconnected
from antiphon.http.limits import Limits

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from antiphon.request.request import Request
    from antiphon.response.response import Response

_UNBOUNDED = Limits(body=1 << 62, memory=1 << 62)
_CHUNK = 64 << 10


class Served(Servable):
    """An application whose own interface is WSGI."""

    def __init__(self) -> None:
        super().__init__()
        self._set_started(True)  # nothing has to be started

    def answer_environ(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer a request over WSGI."""
        raise NotImplementedError

    def __call__(self, head: Any, second: Any, send: Any = None, /) -> Any:
        """Answer a WSGI server, which calls with two arguments, or an ASGI server, which calls with three."""
        return self.answer_environ(head, second) if send is None else super().__call__(head, second, send)

    async def handle(self, request: "Request") -> "Response":
        """Answer a native request, in steps."""
        set_current_request(request)
        try:
            environ = _environ(request)
            await ON_THREAD
            native = from_wsgi(self.answer_environ, lambda _: environ)(request)
            if request.head.has_body:
                await release(request, native, True)
            return native
        except Exception as error:
            return failed(request, error)

    @property
    def interface(self) -> Literal["wsgi", "asgi"]:
        """WSGI, since all views block."""
        return "wsgi"


def _environ(request: "Request") -> "WSGIEnvironment":
    """Return an environ for a native request. It is made where the server wants bodies received."""
    content = request.content
    if content.is_complete:  # an application around this one has received it
        return make_environ(request)
    environ = head_environ(request.head)
    if not request.head.has_body:
        environ["wsgi.input"] = BytesIO()
        return environ
    content.is_kept = False
    if content.loop is None and not request.head.blocks:
        from asyncio import get_running_loop

        content.loop = get_running_loop()
    environ["wsgi.input"] = BufferedReader(_Body(request), _CHUNK)
    environ["wsgi.input_terminated"] = True
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    return environ


class _Body(RawIOBase):
    """The body of a native request, which is received while it is read, and not kept."""

    def __init__(self, request: "Request") -> None:
        self._content = request.content
        self._rest = b""

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Receive the next bytes, and return how many. Raises DisconnectionError for a body that breaks off."""
        if not self._rest:
            try:
                self._rest = self._content.advance_on_thread(_UNBOUNDED)
            except ClientDisconnected as error:
                raise DisconnectionError("the client has disconnected before the end of the body") from error
        size = min(len(buffer), len(self._rest))
        buffer[:size], self._rest = self._rest[:size], self._rest[size:]
        return size
