"""What the test client raises, beside what escapes the application and TimeoutError."""


class ContractError(AssertionError):
    """The application broke the contract of its interface, or sent a body of another length than it declared.

    Raised where the application broke it, and again by the client, so that no error handler hides it.
    """


class BrokenResponse(ConnectionError):
    """The response broke off after its head, as when a server cuts the connection."""


class BodyTooLarge(RuntimeError):
    """A body longer than the client holds in memory; ``stream`` reads bodies of any length."""


class TooManyRedirects(RuntimeError):
    """A chain of redirects that is longer than the client follows."""


class LifespanError(RuntimeError):
    """The application said that its startup, or its shutdown, has failed."""
