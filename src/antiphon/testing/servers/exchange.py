"""What the transports give the client: one request's answer, as it comes from the application."""

from typing import NamedTuple, Protocol

from antiphon.http.headers import Headers
from antiphon.testing.sent_request import SentRequest


class Head(NamedTuple):
    """Status and header fields of a response."""

    status: int
    headers: Headers


SERVER_ERROR = Head(500, Headers([("content-type", "text/plain; charset=utf-8"), ("content-length", "21")]))
SERVER_ERROR_BODY = b"Internal Server Error"
"""What servers answer when the application has failed before its response began."""


class Exchange(Protocol):
    """A request on its way through the application. Its methods are called one after another."""

    async def head(self) -> Head:
        """Wait for the response to begin. Raises what escaped the application before."""
        ...

    async def chunk(self) -> bytes | None:
        """Wait for the next chunk of the body, None at its end. Raises what escaped the application."""
        ...

    async def close(self) -> None:
        """Wait until the application has ended; if the body has not, the client goes away first.

        Raises what escaped the application, and its breaches of contract.
        """
        ...

    async def abort(self) -> None:
        """Stop the application as far as that is possible. Raises nothing."""
        ...

    def where(self) -> str:
        """Where the application stands, as lines of a traceback; empty when it has ended."""
        ...


class Transport(Protocol):
    """Plays a server's side of one interface towards an application."""

    def open(self, request: SentRequest) -> Exchange:
        """Hand a request to the application."""
        ...

    async def startup(self) -> None:
        """Start the application up, if the interface has a lifespan. Raises LifespanError."""
        ...

    async def shutdown(self) -> None:
        """Shut the application down. Raises LifespanError."""
        ...
