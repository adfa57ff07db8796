"""The application as a handler of native requests, over ASGI and RSGI. It answers on a thread."""

from typing import Any

from antiphon.dialects.webob.request import DisconnectionError
from antiphon.embedding import UNBOUNDED, EnvironHost, ReceivedInput
from antiphon.http import ClientDisconnected


class _Input(ReceivedInput):
    """The body of a native request."""

    def receive(self) -> bytes:
        """Receive the next chunk. Raises DisconnectionError for a body that breaks off."""
        try:
            return super().receive()
        except ClientDisconnected as error:
            raise DisconnectionError("the client has disconnected before the end of the body") from error


class Served(EnvironHost):
    """An application whose own interface is WSGI. Views bound the bodies that they read."""

    input_class = _Input
    request_limits = UNBOUNDED

    def __call__(self, head: Any, second: Any, send: Any = None, /) -> Any:
        """Answer a WSGI server, which calls with two arguments, or an ASGI server, which calls with three."""
        if send is not None:
            return super().__call__(head, second, send)
        refused = self.refuse_environ(head, second)
        return self.answer_environ(head, second) if refused is None else refused
