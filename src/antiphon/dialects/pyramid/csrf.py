"""Protection against cross-site request forgery, based on secret tokens and on the origin of requests."""

import uuid
from typing import Any
from urllib.parse import urlsplit

from zope.interface import implementer

from antiphon.dialects.pyramid.exceptions import BadCSRFOrigin, BadCSRFToken
from antiphon.dialects.pyramid.interfaces import ICSRFStoragePolicy
from antiphon.dialects.pyramid.settings import aslist
from antiphon.dialects.pyramid.util import SimpleSerializer, bytes_, is_same_domain, strings_differ, text_
from antiphon.dialects.webob.cookies import CookieProfile

_OWN_PORTS = {"80", "443"}


class _StoragePolicy:
    """The base class for token storage."""

    def new_csrf_token(self, request: Any) -> Any:
        raise NotImplementedError

    def get_csrf_token(self, request: Any) -> Any:
        """Return the token, after making one if there is none."""
        raise NotImplementedError

    def check_csrf_token(self, request: Any, supplied_token: Any) -> bool:
        """Return True if a token matches the stored one."""
        expected = bytes_(self.get_csrf_token(request))
        return not strings_differ(expected, bytes_(supplied_token, errors="backslashreplace"))

    @staticmethod
    def _token_factory() -> str:
        return uuid.uuid4().hex


@implementer(ICSRFStoragePolicy)
class LegacySessionCSRFStoragePolicy(_StoragePolicy):
    """A policy for sessions that make and store the tokens themselves."""

    def new_csrf_token(self, request: Any) -> Any:
        return request.session.new_csrf_token()

    def get_csrf_token(self, request: Any) -> Any:
        return request.session.get_csrf_token()


@implementer(ICSRFStoragePolicy)
class SessionCSRFStoragePolicy(_StoragePolicy):
    """A policy that stores tokens in the session under a key."""

    def __init__(self, key: str = "_csrft_") -> None:
        self.key = key

    def new_csrf_token(self, request: Any) -> Any:
        token = request.session[self.key] = self._token_factory()
        return token

    def get_csrf_token(self, request: Any) -> Any:
        """Return the token in the session, after making one if there is none."""
        return request.session.get(self.key, None) or self.new_csrf_token(request)


@implementer(ICSRFStoragePolicy)
class CookieCSRFStoragePolicy(_StoragePolicy):
    """A policy that stores tokens in a separate cookie, which other sites can't read."""

    def __init__(
        self,
        cookie_name: str = "csrf_token",
        secure: bool = False,
        httponly: bool = False,
        domain: str | None = None,
        max_age: Any = None,
        path: str = "/",
        samesite: str | None = "Lax",
    ) -> None:
        self.cookie_profile: Any = CookieProfile(
            cookie_name=cookie_name,
            secure=secure,
            max_age=max_age,
            httponly=httponly,
            path=path,
            domains=[domain],  # type: ignore[list-item]  # None is not a domain
            serializer=SimpleSerializer(),
            samesite=samesite,
        )
        self.cookie_name = cookie_name

    def new_csrf_token(self, request: Any) -> Any:
        token = request.cookies[self.cookie_name] = self._token_factory()
        request.add_response_callback(lambda _, response: self.cookie_profile.set_cookies(response, token))
        return token

    def get_csrf_token(self, request: Any) -> Any:
        """Return the token in the cookie, after making one if there is none."""
        return self.cookie_profile.bind(request).get_value() or self.new_csrf_token(request)


def get_csrf_token(request: Any) -> Any:
    """Return the visitor's token, after making one if there is none."""
    return request.registry.getUtility(ICSRFStoragePolicy).get_csrf_token(request)


def new_csrf_token(request: Any) -> Any:
    """Make a new token for the visitor, store it and return it. Call this when a visitor signs in."""
    return request.registry.getUtility(ICSRFStoragePolicy).new_csrf_token(request)


def check_csrf_token(
    request: Any,
    token: str | None = "csrf_token",  # noqa: S107 - the name of a field
    header: str | None = "X-CSRF-Token",
    raises: bool = True,
) -> bool:
    """Return True if a header, or else a field of the form in the body, contains the visitor's token.

    Otherwise, raises BadCSRFToken, or returns False if ``raises`` is False.
    """
    supplied = request.headers.get(header, "") if header is not None else ""
    if supplied == "" and token is not None:
        supplied = request.POST.get(token, "")
    if not isinstance(supplied, str | bytes):
        supplied = ""  # a file
    if request.registry.getUtility(ICSRFStoragePolicy).check_csrf_token(request, text_(supplied)):
        return True
    if raises:
        raise BadCSRFToken("check_csrf_token(): Invalid token")
    return False


def check_csrf_origin(
    request: Any, *, trusted_origins: Any = None, allow_no_origin: bool = False, raises: bool = True
) -> bool:
    """Return True if an HTTPS request comes from this site or a trusted one, according to its Origin or Referer.

    ``trusted_origins`` lists hosts, including any non-default port, or `.example.com` for all subdomains. It defaults
    to the `pyramid.csrf_trusted_origins` setting. For other requests, raises BadCSRFOrigin, or returns False if
    ``raises`` is False.
    """
    if request.scheme != "https":  # over HTTP, an attacker on the network could forge any origin
        return True
    reason = _refusal(request, trusted_origins, allow_no_origin)
    if reason is None:
        return True
    if raises:
        raise BadCSRFOrigin(f"Origin checking failed - {reason}")
    return False


def _refusal(request: Any, trusted_origins: Any, allow_no_origin: bool) -> str | None:
    """Return the reason to reject an origin, or None."""
    own = request.headers.get("Origin")
    origin = request.referrer if own is None else own.split(" ")[-1]  # the last one is the closest
    if not origin:
        return None if allow_no_origin else "missing Origin or Referer."
    trusted = _trusted(request, trusted_origins)
    if own is not None and origin == "null":
        return None if "null" in trusted else "null does not match any trusted origins."
    try:
        parts = urlsplit(origin)
    except ValueError:
        return f"{origin} does not match any trusted origins."
    if parts.scheme != "https":
        return "Origin is insecure while host is secure."
    if any(is_same_domain(parts.netloc, host) for host in trusted):
        return None
    return f"{origin} does not match any trusted origins."


def _trusted(request: Any, trusted_origins: Any) -> list[str]:
    if trusted_origins is None:
        trusted_origins = aslist(request.registry.settings.get("pyramid.csrf_trusted_origins", []))
    host, port = request.domain, request.host_port
    return [*trusted_origins, host if port in _OWN_PORTS else f"{host}:{port}"]
