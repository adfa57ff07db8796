"""The exceptions with status 400."""

from typing import Any

from antiphon.dialects.werkzeug.exceptions.http_exception import HTTPException


class BadRequest(HTTPException):
    """400: the request can't be understood (RFC 9110 §15.5.1)."""

    code = 400
    description = "The browser (or proxy) sent a request that this server could not understand."


class BadRequestKeyError(BadRequest, KeyError):
    """A missing key: a KeyError, and a 400 unless it is caught.

    With ``show_exception`` the page names the key.
    """

    _description = str(BadRequest.description)
    show_exception = False

    def __init__(self, arg: object = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        KeyError.__init__(self, *(() if arg is None else (arg,)))

    @property
    def description(self) -> str:
        """The text for the client."""
        return f"{self._description}\nKeyError: {KeyError.__str__(self)}" if self.show_exception else self._description

    @description.setter
    def description(self, value: str) -> None:
        self._description = value


class ClientDisconnected(BadRequest):
    """The client has disconnected; nobody reads the answer."""


class SecurityError(BadRequest):
    """A bad request that looks like an attack."""


class BadHost(BadRequest):
    """A malformed host."""
