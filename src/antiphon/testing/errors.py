"""Errors of the test client, in addition to TimeoutError and the errors that escape the application."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from antiphon.testing.responses import ClientResponse


class ContractError(AssertionError):
    """A breach of the interface's contract by the application, such as a body that does not have its declared length.

    With ``Client(app, contract=True)``, also an answer that its handler's contract lacks. It is raised inside the
    application, and again by the client, so that no error handler hides it.
    """


class BrokenResponse(ConnectionError):
    """A response that broke off after its head, as when a server cuts the connection."""


class HandshakeRefused(ConnectionError):
    """A handshake that was answered with ``response`` instead of opening a WebSocket."""

    def __init__(self, response: "ClientResponse") -> None:
        super().__init__(
            f"the handshake was answered with {response.status} {response.reason}: {response.body[:200]!r}"
        )
        self.response = response


class BodyTooLarge(RuntimeError):
    """A body longer than the client holds in memory; ``stream`` reads bodies of any length."""


class TooManyRedirects(RuntimeError):
    """A chain of redirects that is longer than the client follows."""


class LifespanError(RuntimeError):
    """A startup or a shutdown that failed, as reported by the application."""
