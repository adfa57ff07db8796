"""The contract over each interface, without a server."""

from types import TracebackType
from typing import Literal, Self

from antiphon.testing import Client
from antiphon.testing.requests import RequestOptions
from tests.contract.application import app
from tests.contract.suite import AdapterContract
from tests.contract.wire import ReceivedResponse, SentRequest
from tests.helpers.waiting import DEADLINE


class InProcess:
    """The contract's application over one interface; as a context manager it is started and shut down."""

    def __init__(self, interface: Literal["wsgi", "asgi", "rsgi"]) -> None:
        self._client = Client(app, interface, follow_redirects=False, raise_errors=False, timeout=DEADLINE)

    def __enter__(self) -> Self:
        self._client.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._client.__exit__(kind, error, traceback)

    def respond(self, request: SentRequest) -> ReceivedResponse:
        response = self._client.request(request.method, request.target, **_options(request))
        self._client.cookies.clear()
        return ReceivedResponse(response.status, tuple(response.headers.items()), response.body)

    def leave(self, request: SentRequest, after: bytes) -> None:
        """Send a request, and disconnect when ``after`` has come in the body."""
        with self._client.stream(request.method, request.target, **_options(request)) as response:
            received = b""
            while after not in received:
                received += next(response)


def _options(request: SentRequest) -> RequestOptions:
    """Return the client's options for a request. The client frames the body itself, and refuses space around values."""
    framing = ("content-length", "transfer-encoding")
    fields = [(name, value.strip()) for name, value in request.all_fields if name.lower() not in framing]
    options: RequestOptions = {"headers": fields}
    if request.body is not None:
        options["body"] = request.body
    return options


class TestWSGI(AdapterContract):
    @classmethod
    def serve(cls):
        return InProcess("wsgi")


class TestASGI(AdapterContract):
    @classmethod
    def serve(cls):
        return InProcess("asgi")


class TestRSGI(AdapterContract):
    @classmethod
    def serve(cls):
        return InProcess("rsgi")
