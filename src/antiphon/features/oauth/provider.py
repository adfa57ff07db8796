"""Identity providers as a resource server needs them: their metadata, their keys, and what they say about a token.

Only the issuers that the application names are ever asked, so no token or header leads a request anywhere. Functions
here block: they run on threads.
"""

import json
import logging
from base64 import b64encode
from collections.abc import Callable, Mapping
from http.client import HTTPException
from threading import Lock
from time import monotonic
from typing import IO, Any, NamedTuple
from urllib.parse import quote_plus
from urllib.request import HTTPRedirectHandler, Request, build_opener

from antiphon.explanations import explained
from antiphon.http.errors import ServiceUnavailable
from antiphon.http.urls.url import URL
from antiphon.http.urls.urlencoded import format_query

_TIMEOUT = 10.0
_LARGEST = 1 << 20
"""Bytes of a document."""
_PAUSE = 10.0
"""Seconds between two requests for the same document."""
_KEPT = 3600.0
"""Seconds for which metadata and keys are used."""
_LOCAL = ("localhost", "127.0.0.1", "::1")


class Introspection(NamedTuple):
    """The credentials with which the application asks a provider about tokens (RFC 7662): ``client_id`` and
    ``client_secret``. ``endpoint`` is in the provider's metadata, unless it is given.
    """

    client_id: str
    client_secret: str
    endpoint: str | None = None

    def __repr__(self) -> str:
        return f"Introspection({self.client_id!r}, ...)"


def checked_url(text: str, what: str) -> str:
    """Return a URL that may be asked: of https, or of http on this machine. Raises ValueError for others."""
    url = URL(text)
    is_safe = url.scheme == "https" or (url.scheme == "http" and url.host in _LOCAL)
    if not is_safe or not url.host or url.userinfo or url.fragment:
        raise explained("bad-feature-option", ValueError(f"{what} must be a URL of https, not {text!r}"))
    return text


class _NoRedirects(HTTPRedirectHandler):
    def redirect_request(self, req: Any, fp: Any, code: Any, msg: Any, headers: Any, newurl: Any) -> None:  # noqa: ARG002
        return None


def fetch(url: str, form: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the JSON object at a URL, without following redirects. Raises ServiceUnavailable (503) without one."""
    data = None
    if form is not None:
        data = format_query(form).encode()
    request = Request(url, data, {"Accept": "application/json", **(headers or {})})  # noqa: S310 - checked_url
    try:
        with build_opener(_NoRedirects).open(request, timeout=_TIMEOUT) as response:
            return _read(response)
    except (OSError, HTTPException, ValueError) as error:
        logging.getLogger("antiphon.oauth").warning("%s did not return a JSON object: %s", url, error)
        raise ServiceUnavailable("The identity provider does not respond.", retry_after=_PAUSE) from None


def _read(response: IO[bytes]) -> dict[str, Any]:
    body = response.read(_LARGEST + 1)
    if len(body) > _LARGEST:
        raise ValueError(f"it has more than {_LARGEST} bytes")
    found = json.loads(body)
    if not isinstance(found, dict):
        raise ValueError("it is not an object")
    return found


class Kept:
    """A document that is fetched when it is needed, and kept for an hour.

    It is fetched again at most every ten seconds, however many tokens name unknown keys, and as seldom after a failure.
    While one thread fetches it again, the others use what is there.
    """

    def __init__(self, load: Callable[[], Any], clock: Callable[[], float] = monotonic) -> None:
        self._load = load
        self._clock = clock
        self._lock = Lock()
        self._value: Any = None
        self._fetched = self._due_again = 0.0

    @property
    def _is_fresh(self) -> bool:
        return self._value is not None and self._clock() - self._fetched < _KEPT

    def get(self, *, anew: bool = False) -> Any:
        """Return the document; with ``anew``, a new one if it is due. Raises ServiceUnavailable without any."""
        if (anew or not self._is_fresh) and self._lock.acquire(blocking=self._value is None):
            try:
                if (anew or not self._is_fresh) and self._clock() >= self._due_again:
                    self._fetch(anew=anew)
            finally:
                self._lock.release()
        if self._value is None:
            raise ServiceUnavailable("The identity provider does not respond.", retry_after=_PAUSE)
        return self._value

    def _fetch(self, *, anew: bool) -> None:
        try:
            self._value = self._load()
        except ServiceUnavailable:
            self._due_again = self._clock() + _PAUSE
            if self._value is None:
                raise
        else:
            self._fetched = self._clock()
            self._due_again = self._fetched + _PAUSE if anew else 0.0


class Provider:
    """An identity provider, by its issuer identifier (RFC 8414 §2)."""

    def __init__(self, issuer: str) -> None:
        self.issuer = checked_url(issuer, "an issuer")
        self._metadata = Kept(self._fetch_metadata)
        self._keys = Kept(self._fetch_keys)

    def keys(self, *, anew: bool = False) -> Any:
        """Return the provider's ``KeySet``. Raises ServiceUnavailable."""
        return self._keys.get(anew=anew)

    def introspect(self, token: str, credentials: Introspection) -> dict[str, Any]:
        """Return what the provider says about a token (RFC 7662 §2.2). Raises ServiceUnavailable."""
        endpoint = credentials.endpoint or self._endpoint("introspection_endpoint")
        pair = f"{quote_plus(credentials.client_id)}:{quote_plus(credentials.client_secret)}"  # RFC 6749 §2.3.1
        fields = {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}
        return fetch(endpoint, {"token": token, "token_type_hint": "access_token"}, fields)

    def _fetch_keys(self) -> Any:
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet

        found = fetch(self._endpoint("jwks_uri"))
        usable = [each for each in found.get("keys", ()) if isinstance(each, dict) and each.get("use", "sig") == "sig"]
        keys = []
        for each in usable:
            try:
                keys += KeySet.import_key_set({"keys": [each]}).keys
            except (JoseError, ValueError, TypeError, KeyError):  # of a kind that is not known here
                continue
        return KeySet(keys)

    def _endpoint(self, name: str) -> str:
        found = self._metadata.get().get(name)
        try:
            return checked_url(str(found), f"the {name} of {self.issuer}")
        except ValueError as error:
            logging.getLogger("antiphon.oauth").error("%s", error)
            raise ServiceUnavailable("The identity provider's metadata is not usable.") from None

    def _fetch_metadata(self) -> dict[str, Any]:
        """Return the metadata, from the places in RFC 8414 §3.1 or OpenID Connect Discovery §4."""
        url = URL(self.issuer)
        path = url.path.rstrip("/")
        places = (
            f"{url.origin}/.well-known/oauth-authorization-server{path}",
            f"{url.origin}{path}/.well-known/openid-configuration",
        )
        for at, place in enumerate(places):
            try:
                found = fetch(place)
            except ServiceUnavailable:
                if at + 1 == len(places):
                    raise
                continue
            if found.get("issuer") == self.issuer:
                return found
            logging.getLogger("antiphon.oauth").error("%s is of %r, not %r", place, found.get("issuer"), self.issuer)
        raise ServiceUnavailable("The identity provider's metadata is not usable.")
