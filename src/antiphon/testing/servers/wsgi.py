"""WSGI (PEP 3333), the server's side."""

from collections.abc import AsyncIterable, Callable, Mapping
from typing import Any

from antiphon.testing.errors import BrokenResponse
from antiphon.testing.sent_request import SentRequest
from antiphon.testing.servers.connection import Connection
from antiphon.testing.servers.exchange import SERVER_ERROR, SERVER_ERROR_BODY, Head
from antiphon.testing.servers.wsgi_call import WSGIApplication, WSGICall
from antiphon.testing.servers.wsgi_environ import make_environ
from antiphon.testing.servers.wsgi_steps import Steps, StepsHere, StepsOnThread


class WSGITransport:
    """Plays a WSGI server, which runs each request on a thread of its own, or on the thread of who asks.

    ``extra`` is added to each environ.
    """

    def __init__(
        self,
        application: WSGIApplication,
        connection: Connection,
        extra: Mapping[str, object],
        *,
        on_thread: bool,
    ) -> None:
        self._application = application
        self._connection = connection
        self._extra = extra
        self._steps: Callable[[], Steps] = StepsOnThread if on_thread else StepsHere

    def open(self, request: SentRequest) -> "WSGIExchange":
        """Make ready to call the application with an environ for this request."""
        if isinstance(request.content, AsyncIterable):
            raise TypeError("over WSGI the chunks of a body come from an iterable, not from an async one")
        environ: dict[str, Any] = make_environ(self._connection.check(request), self._connection) | dict(self._extra)
        steps = self._steps()
        call = WSGICall(self._application, environ, steps.push)
        steps.start(call.items())
        return WSGIExchange(call, steps, raise_errors=self._connection.raise_errors)

    async def startup(self) -> None:
        """WSGI has no lifespan."""

    async def shutdown(self) -> None:
        """WSGI has no lifespan."""


class WSGIExchange:
    """One request, answered in steps."""

    def __init__(self, call: WSGICall, steps: Steps, *, raise_errors: bool) -> None:
        self._call = call
        self._steps = steps
        self._raise_errors = raise_errors
        self._server_error: list[bytes] | None = None

    async def head(self) -> Head:
        """Wait for the response to begin."""
        try:
            head = await self._steps.next()
        except Exception as error:
            self._check(error)
            self._server_error = [SERVER_ERROR_BODY]
            return SERVER_ERROR
        assert isinstance(head, Head)  # noqa: S101 - it comes first
        return head

    async def chunk(self) -> bytes | None:
        """Wait for the next chunk."""
        if self._server_error is not None:
            return self._server_error.pop() if self._server_error else None
        try:
            chunk = await self._steps.next()
        except Exception as error:
            self._check(error)
            raise BrokenResponse(f"the application has failed before its response was complete: {error!r}") from error
        self._check(None)
        assert not isinstance(chunk, Head)  # noqa: S101 - it came first
        return chunk

    async def close(self) -> None:
        """Have the body closed, wherever it stands."""
        try:
            await self._steps.close()
        except Exception as error:
            self._check(error)
        self._check(None)

    async def abort(self) -> None:
        """Close the body if the application lets it be."""
        await self._steps.abort()

    def where(self) -> str:
        """Where the application is."""
        return self._steps.where()

    def _check(self, error: Exception | None) -> None:
        """Raise a breach of contract, else what has escaped the application, if that is wanted."""
        if self._call.fault is not None:
            raise self._call.fault
        if error is not None and self._raise_errors:
            raise error
