from antiphon.testing.call import AsyncStreamedResponse, StreamedResponse
from antiphon.testing.client import AsyncClient, Client
from antiphon.testing.cookies import CookieJar
from antiphon.testing.errors import (
    BodyTooLarge,
    BrokenResponse,
    ContractError,
    HandshakeRefused,
    LifespanError,
    TooManyRedirects,
)
from antiphon.testing.responses import ClientResponse
from antiphon.testing.sessions import ClientSession
from antiphon.testing.tools import ClientTools, ToolResult
from antiphon.testing.websockets import AsyncClientWebSocket, ClientWebSocket

__all__ = [
    "AsyncClient", "AsyncClientWebSocket", "AsyncStreamedResponse", "BodyTooLarge", "BrokenResponse", "Client",
    "ClientResponse", "ClientSession", "ClientTools", "ClientWebSocket", "ContractError", "CookieJar",
    "HandshakeRefused", "LifespanError", "StreamedResponse", "TooManyRedirects", "ToolResult",
]  # fmt: skip
