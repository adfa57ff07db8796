from antiphon.testing.client import AsyncClient, Client
from antiphon.testing.cookies import CookieJar
from antiphon.testing.errors import BodyTooLarge, BrokenResponse, ContractError, LifespanError, TooManyRedirects
from antiphon.testing.responses import Response
from antiphon.testing.servers.transports import Interface
from antiphon.testing.streaming import AsyncStreamedResponse, StreamedResponse

__all__ = [
    "AsyncClient",
    "AsyncStreamedResponse",
    "BodyTooLarge",
    "BrokenResponse",
    "Client",
    "ContractError",
    "CookieJar",
    "Interface",
    "LifespanError",
    "Response",
    "StreamedResponse",
    "TooManyRedirects",
]
