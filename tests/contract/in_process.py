"""The contract's application without a server, over one of the three interfaces."""

from types import TracebackType
from typing import Self

from antiphon.testing import Client
from antiphon.testing.sent_request import RequestOptions
from antiphon.testing.servers.transports import Interface
from tests.contract.application import app
from tests.contract.messages import ReceivedResponse, SentRequest
from tests.helpers.waiting import DEADLINE


class InProcess:
    """A client of the application, which starts it up as a context manager, and shuts it down."""

    def __init__(self, interface: Interface) -> None:
        self._client = Client(app, interface, follow_redirects=False, raise_errors=False, timeout=DEADLINE)

    def __enter__(self) -> Self:
        self._client.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._client.__exit__(kind, error, traceback)

    def respond(self, request: SentRequest) -> ReceivedResponse:
        """Send a request, and get the response."""
        response = self._client.request(request.method, request.target, **_options(request))
        self._client.cookies.clear()
        return ReceivedResponse(response.status, tuple(response.headers.items()), response.body)

    def leave(self, request: SentRequest, after: bytes) -> None:
        """Send a request, and go away when these bytes of the body have come."""
        with self._client.stream(request.method, request.target, **_options(request)) as response:
            received = b""
            while after not in received:
                received += next(response)


def _options(request: SentRequest) -> RequestOptions:
    """What the client is told of a request. It frames the body itself, and takes values without space around."""
    framing = ("content-length", "transfer-encoding")
    fields = [(name, value.strip()) for name, value in request.all_fields if name.lower() not in framing]
    options: RequestOptions = {"headers": fields}
    if request.body is not None:
        options["body"] = request.body
    return options
