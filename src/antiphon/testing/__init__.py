"""Testing applications without a server: a client that plays any of the three interfaces, in process."""

from antiphon.testing.client import AsyncClient, Client
from antiphon.testing.cookie_jar import CookieJar
from antiphon.testing.errors import (
    BodyTooLarge,
    BrokenResponse,
    ContractError,
    LifespanError,
    TooManyRedirects,
)
from antiphon.testing.response import Response

__all__ = [
    "AsyncClient",
    "BodyTooLarge",
    "BrokenResponse",
    "Client",
    "ContractError",
    "CookieJar",
    "LifespanError",
    "Response",
    "TooManyRedirects",
]
