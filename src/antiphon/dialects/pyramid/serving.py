"""The application as a handler of native requests, which come over ASGI and RSGI: it answers on a thread."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal

from antiphon.adapters.foreign.wsgi import from_wsgi
from antiphon.adapters.servable import Servable
from antiphon.dialects._environ.native_body import NativeBody, environ_and_body
from antiphon.dialects.webob.request import DisconnectionError
from antiphon.handler.context import set_current_request
from antiphon.handler.contract import ON_THREAD, failed
from antiphon.handler.release import release
from antiphon.http.errors import ClientDisconnected

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from antiphon.request.request import Request
    from antiphon.response.response import Response


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
            environ, _ = environ_and_body(request, _Body)
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


class _Body(NativeBody):
    """The body of a native request."""

    def receive(self) -> bytes:
        """Receive the next chunk. Raises DisconnectionError for a body that breaks off."""
        try:
            return super().receive()
        except ClientDisconnected as error:
            raise DisconnectionError("the client has disconnected before the end of the body") from error
