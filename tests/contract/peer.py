"""Whom a contract suite asks: anything that serves the contract's application."""

from typing import Protocol

from tests.contract.messages import ReceivedResponse, SentRequest


class Peer(Protocol):
    """A server, or what plays one."""

    def respond(self, request: SentRequest) -> ReceivedResponse:
        """Send a request, and get the response as it was sent."""
        ...

    def leave(self, request: SentRequest, after: bytes) -> None:
        """Send a request, and go away when these bytes of the body have come."""
        ...
