"""400 in its forms."""

from typing import Any

from antiphon.dialects.werkzeug.exceptions.http_exception import HTTPException


class BadRequest(HTTPException):
    """400: the request can't be understood (RFC 9110 §15.5.1)."""

    code = 400
    description = "The browser (or proxy) sent a request that this server could not understand."


class BadRequestKeyError(BadRequest, KeyError):
    """A key that was asked for and isn't there: a KeyError, and a 400 when nobody catches it.

    With ``show_exception`` the page says which key.
    """

    _description = str(BadRequest.description)
    show_exception = False

    def __init__(self, arg: object = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        KeyError.__init__(self, *(() if arg is None else (arg,)))

    @property
    def description(self) -> str:
        """What the client is shown."""
        return f"{self._description}\nKeyError: {KeyError.__str__(self)}" if self.show_exception else self._description

    @description.setter
    def description(self, value: str) -> None:
        self._description = value


class ClientDisconnected(BadRequest):
    """The client went away; nobody reads the answer."""


class SecurityError(BadRequest):
    """What is a bad request, and looks like an attack."""


class BadHost(BadRequest):
    """A host that is malformed."""
