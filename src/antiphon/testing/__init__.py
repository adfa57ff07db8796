"""Testing applications without a server: a client that plays any of the three interfaces, in process."""

from antiphon.lazy import import_on_use

__all__, __getattr__ = import_on_use(
    __name__,
    {
        "testing.client": "AsyncClient Client",
        "testing.cookie_jar": "CookieJar",
        "testing.errors": "BodyTooLarge BrokenResponse ContractError LifespanError TooManyRedirects",
        "testing.response": "Response",
        "testing.servers.transports": "Interface",
        "testing.stream": "AsyncStreamedResponse StreamedResponse",
    },
)
