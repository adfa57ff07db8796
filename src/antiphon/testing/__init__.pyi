from antiphon.testing.client import AsyncClient, Client
from antiphon.testing.cookies import CookieJar
from antiphon.testing.errors import BrokenResponse, ContractError, HandshakeRefused, LifespanError
from antiphon.testing.responses import ClientResponse
from antiphon.testing.sessions import ClientSession
from antiphon.testing.websockets import ClientWebSocket

__all__ = [
    "AsyncClient", "BrokenResponse", "Client", "ClientResponse", "ClientSession", "ClientWebSocket", "ContractError",
    "CookieJar", "HandshakeRefused", "LifespanError",
]  # fmt: skip
