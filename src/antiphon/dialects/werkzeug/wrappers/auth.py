"""Credentials of requests, and challenges of responses."""

from collections.abc import Sequence

from antiphon.dialects.werkzeug.datastructures.auth import Authorization, WWWAuthenticate
from antiphon.dialects.werkzeug.datastructures.headers import Headers
from antiphon.dialects.werkzeug.utils.accessors import environ_header

_NAME = "WWW-Authenticate"


class AuthorizationMixin:
    """An attribute for the credentials of a request."""

    authorization = environ_header(
        "HTTP_AUTHORIZATION",
        Authorization.from_header,
        "The credentials (RFC 9110 §11.6.2); None if they are absent or malformed.",
    )


class WWWAuthenticateMixin:
    """An attribute for the challenges of a response."""

    headers: Headers
    challenge_class: type[WWWAuthenticate] = WWWAuthenticate
    """The class of challenges, which prints them."""

    @property
    def www_authenticate(self) -> WWWAuthenticate:
        """The first challenge (RFC 9110 §11.6.1), one of Basic if there is none. Changing it changes the header."""
        challenge = self.challenge_class.from_header(self.headers.get(_NAME)) or self.challenge_class("basic")
        return self._watched(challenge)

    @www_authenticate.setter
    def www_authenticate(self, value: WWWAuthenticate | Sequence[WWWAuthenticate] | None) -> None:
        self.headers.remove(_NAME)
        if not value:
            return
        if isinstance(value, WWWAuthenticate):
            self.headers.add(_NAME, self._printed(self._watched(value)))
            return
        for challenge in value:
            self.headers.add(_NAME, self._printed(challenge))

    @www_authenticate.deleter
    def www_authenticate(self) -> None:
        self.headers.remove(_NAME)

    def _printed(self, challenge: WWWAuthenticate) -> str:
        if not isinstance(challenge, self.challenge_class):
            challenge = self.challenge_class(challenge.type, challenge.parameters, challenge.token)
        return challenge.to_header()

    def _watched(self, challenge: WWWAuthenticate) -> WWWAuthenticate:
        challenge._on_update = self._changed  # noqa: SLF001 - this dialect's own, which has that name
        return challenge

    def _changed(self, challenge: WWWAuthenticate) -> None:
        self.www_authenticate = challenge
