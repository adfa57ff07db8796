"""Signed URLs: links that only the application can make, and that may expire."""

import time
from collections.abc import Iterable
from datetime import timedelta
from math import ceil

from antiphon.explanations import explained
from antiphon.http.urls.path import quoted_path
from antiphon.http.urls.urlencoded import format_query
from antiphon.request.request import Request
from antiphon.serialization.signing import BadSignature, SignatureExpired, Signer

SALT = "antiphon.url"
SIGNATURE, EXPIRES = "signature", "expires"
"""The fields of the query that a signed URL has besides its own."""
_MOST_DIGITS = 12


def with_signature(
    signer: Signer, host: str, path: str, fields: list[tuple[str, str]], expires: float | timedelta | None
) -> list[tuple[str, str]]:
    """Return the fields of a query with a signature of the whole URL, which is valid for some seconds, or for ever.

    ``host`` is empty for a route that is answered on every host; ``path`` is percent-encoded, and below the root path.
    Raises ValueError for a field that the signature needs, and for ``expires`` that is not above 0.
    """
    if taken := [name for name, _ in fields if name in (SIGNATURE, EXPIRES)]:
        raise explained(
            "bad-signed-url", ValueError(f"a signed URL has a field {taken[0]!r} of its own: give yours another name")
        )
    if expires is not None:
        fields = [*fields, (EXPIRES, _moment(expires))]
    return [*fields, (SIGNATURE, signer.signature(_signed_text(host, path, fields)))]


def check_signature(signer: Signer, request: Request) -> None:
    """Raise BadSignature (403) for a request whose URL is not one that ``with_signature`` made, SignatureExpired (410)
    for one that is no longer valid.
    """
    fields = [field for field in request.args.items() if field[0] != SIGNATURE]
    given = request.args.getall(SIGNATURE)
    host = request.host.lower().removesuffix(".") if request.route.host else ""
    text = _signed_text(host, quoted_path(request.path, request.raw_path), fields)
    if len(given) != 1 or not signer.is_signature(text, given[0]):
        raise BadSignature
    if any(int(value) < time.time() for name, value in fields if name == EXPIRES):
        raise SignatureExpired


def _moment(expires: float | timedelta) -> str:
    seconds = expires.total_seconds() if isinstance(expires, timedelta) else expires
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise explained("bad-signed-url", TypeError(f"_expires is in seconds, or a timedelta, not {expires!r}"))
    if not 0 < seconds < 10**_MOST_DIGITS:
        raise explained("bad-signed-url", ValueError(f"_expires is in seconds from now, above 0, not {expires!r}"))
    return str(ceil(time.time() + seconds))


def _signed_text(host: str, path: str, fields: Iterable[tuple[str, str]]) -> str:
    """Return a URL with its query in order of the names, since clients and proxies may change the order."""
    query = format_query(sorted(fields, key=lambda field: field[0]))
    return f"//{host}{path}?{query}"
