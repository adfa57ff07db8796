from antiphon.testing.client import AsyncClient, Client
from antiphon.testing.cookies import CookieJar
from antiphon.testing.errors import BodyTooLarge, BrokenResponse, ContractError, LifespanError, TooManyRedirects
from antiphon.testing.responses import ClientResponse
from antiphon.testing.servers.transports import Interface
from antiphon.testing.sessions import ClientSession
from antiphon.testing.streaming import AsyncStreamedResponse, StreamedResponse

__all__ = [
    "AsyncClient",
    "AsyncStreamedResponse",
    "BodyTooLarge",
    "BrokenResponse",
    "Client",
    "ClientResponse",
    "ClientSession",
    "ContractError",
    "CookieJar",
    "Interface",
    "LifespanError",
    "StreamedResponse",
    "TooManyRedirects",
]
