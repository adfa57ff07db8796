"""Signed URLs: links that only the application can make, and that can expire."""

import time
from collections.abc import Callable, Iterable
from datetime import timedelta
from math import ceil
from typing import NamedTuple

from antiphon.app.route import Route
from antiphon.explanations import explained
from antiphon.http.dates import Duration, seconds_of
from antiphon.http.head import mounted_at
from antiphon.http.urls.path import quoted_path
from antiphon.http.urls.urlencoded import format_query
from antiphon.request.readings import SIGNING
from antiphon.request.request import Request
from antiphon.serialization.signing import BadSignature, SignatureExpired, Signer

SALT = "antiphon.url"
SIGNATURE, EXPIRES = SIGNING
_MOST_DIGITS = 12


class Link(NamedTuple):
    """The request for which a signature is valid, besides the query."""

    method: str
    """"GET" also stands for HEAD."""
    mounted_at: str
    """Where this application is mounted in others: the mounts' prefixes and hosts, if any."""
    host: str
    """Empty for a route that is handled on every host."""
    path: str
    """Percent-encoded, and below the root path."""

    def text(self, fields: Iterable[tuple[str, str]]) -> str:
        """Return the text to sign, with the query sorted by name, because clients and proxies may reorder it."""
        # By name only: the order of fields of one name means something.
        query = format_query(sorted(fields, key=lambda field: field[0]))
        return f"{self.method} {self.mounted_at}\n//{self.host}{self.path}?{query}"


class Signing(NamedTuple):
    """The options of a signature, for a signed route."""

    expires: float | timedelta | None
    method: str | None
    place: str | Callable[[], str]
    """Where the application is mounted, or a function that finds this out (or raises ValueError)."""

    @property
    def mounted_at(self) -> str:
        """Where the application is mounted. Raises ValueError if that is unknown."""
        return self.place if isinstance(self.place, str) else self.place()


def with_signature(
    signer: Signer, link: Link, fields: list[tuple[str, str]], expires: Duration | None
) -> list[tuple[str, str]]:
    """Return the query fields together with a signature of the full URL, valid for the given time or forever.

    Raises ValueError for a field with a name that the signature uses, and for an ``expires`` that isn't greater than 0.
    """
    if taken := [name for name, _ in fields if name in (SIGNATURE, EXPIRES)]:
        raise explained("bad-signed-url", f"a signed URL has its own field {taken[0]!r}: give yours a different name")
    if expires is not None:
        fields = [*fields, (EXPIRES, _moment(expires))]
    return [*fields, (SIGNATURE, signer.signature(link.text(fields)))]


def signed_fields(
    signer: Callable[[str], Signer], route: Route, host: str, path: str, fields: list[tuple[str, str]], signing: Signing
) -> list[tuple[str, str]]:
    """Return the query of a route, with a signature if the route is signed.

    Raises ValueError for options of a signature if it isn't, and for those that ``with_signature`` refuses.
    """
    if route.signed_url:
        try:
            link = Link(_method_of(route, signing.method), signing.mounted_at, host, path)
            return with_signature(signer(SALT), link, fields, signing.expires)
        except ValueError as error:
            raise explained("bad-signed-url", f"url_for {route.name!r} ({route.where}): {error}") from None
    for option, value in (("_expires", signing.expires), ("_method", signing.method)):
        if value is not None:
            message = f"url_for {route.name!r} ({route.where}): {option} is for a route with signed_url=True"
            raise explained("bad-signed-url", message)
    return fields


def _method_of(route: Route, wanted: str | None) -> str:
    """Return the method for which a link is valid: GET, unless one is given or the route has only one other method."""
    if wanted is not None:
        return "GET" if wanted == "HEAD" else wanted
    if "GET" in route.methods or len(route.methods) != 1:
        return "GET"
    return route.methods[0]


def check_signature(signer: Signer, request: Request) -> None:
    """Raise BadSignature (403) for a URL that ``with_signature`` did not make, and SignatureExpired (410) for an
    expired URL.
    """
    fields = [field for field in request.args.items() if field[0] != SIGNATURE]
    given = request.args.getall(SIGNATURE)
    host = request.host.lower().removesuffix(".") if request.route.host else ""
    # A client that may get a page may also ask for its head.
    method = "GET" if request.method == "HEAD" else request.method
    link = Link(method, mounted_at(request.head), host, quoted_path(request.path, request.raw_path))
    # Exactly one: nothing says which of several counts.
    if len(given) != 1 or not signer.is_signature(link.text(fields), given[0]):
        raise BadSignature
    # After the signature, which shows that the number is one that was made here.
    if any(int(value) < time.time() for name, value in fields if name == EXPIRES):
        raise SignatureExpired


def _moment(expires: Duration) -> str:
    seconds = seconds_of(expires)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise explained("bad-signed-url", f"_expires must be seconds or a timedelta, not {expires!r}", TypeError)
    if not 0 < seconds < 10**_MOST_DIGITS:
        raise explained("bad-signed-url", f"_expires must be above 0, in seconds from now, not {expires!r}")
    return str(ceil(time.time() + seconds))
