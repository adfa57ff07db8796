"""Exceptions that become redirects (RFC 9110 §15.4) or a 304."""

from collections.abc import Callable
from typing import overload

from antiphon.explanations import explained
from antiphon.http.errors import BadRequest
from antiphon.http.headers import HeaderFields, MutableHeaders
from antiphon.http.urls.url import URL, as_uri
from antiphon.lazy import compiled_late

REDIRECTS = (301, 302, 303, 307, 308)
"""Redirect statuses: after 303, clients continue with GET; after 307 and 308, with the same method."""

_LONGEST = 2048
"""The maximum length of a location that a client may choose. Many proxies accept 4 KiB of response headers."""

_leaves = compiled_late(r"//|[A-Za-z][A-Za-z0-9+.\-]*+:")


class RaisedResponse(Exception):
    """An exception that becomes a response with its status and headers, without content, wherever it is raised.

    ``location`` is the URL reference of a redirect, otherwise None. Error handlers don't see the exception. Raises
    ValueError for invalid ``headers``.
    """

    status: int
    location: str | None = None

    def __init__(self, *arguments: object, headers: HeaderFields = ()) -> None:
        super().__init__(*arguments)
        self.headers = MutableHeaders(headers)


class ExternalLocation(BadRequest, ValueError):
    """The error for a location with a host: a ValueError that becomes a 400, because a client may have chosen the
    location.

    ``location`` is the refused location. The error's text is for the developer, its ``detail`` for the client.
    """

    def __init__(self, location: str) -> None:
        super().__init__("The address to redirect to is not on this site.")
        self.location = location

    def __str__(self) -> str:
        return (
            f'a redirect to {self.location[:200]!r} may lead to another site: pass a path, otherwise="/" for'
            " a location that a client has chosen, or external=True for a site of your choice"
        )


class Redirect(RaisedResponse):
    """An exception that becomes a redirect to ``location``, a URL reference, wherever it is raised.

    ``status`` is 301, 302, 303, 307 or 308 (RFC 9110 §15.4). Error handlers don't see the exception. Raises
    ExternalLocation, a ValueError that becomes a 400, for a location with a host, unless ``external`` is True. Raises
    ValueError for a lone surrogate, an ``otherwise`` with a host, a status that is not a redirect status, and invalid
    ``headers``. Raises TypeError for a location that isn't text.
    """

    @overload
    def __init__(
        self, location: str, status: int = 303, headers: HeaderFields = (), *, external: bool = False
    ) -> None: ...
    @overload
    def __init__(
        self,
        location: str | None,
        status: int = 303,
        headers: HeaderFields = (),
        *,
        external: bool = False,
        otherwise: str,
        origin: str | None = None,
    ) -> None: ...
    def __init__(
        self,
        location: str | None,
        status: int = 303,
        headers: HeaderFields = (),
        *,
        external: bool = False,
        otherwise: str | None = None,
        origin: str | None = None,
    ) -> None:
        """For a location that a client has chosen, pass ``otherwise``. In that case, no error is raised for the
        location: the redirect goes to ``otherwise`` if ``location`` has a host, is None, empty, not text or longer than
        2048 characters, or if browsers would read it differently. To accept a full URL of this site, pass its
        ``origin``, such as ``request.url.origin``.
        """
        super().__init__(location, headers=headers)
        self.location = redirect_location(location, external, otherwise, origin)
        self.status = check_redirect(status)


class NotModified(RaisedResponse):
    """An exception that becomes a 304 without content, wherever a GET or HEAD handler raises it.

    ``headers`` are those headers of the corresponding 200 response that caches update: Cache-Control, Content-Location,
    ETag, Expires, Vary (RFC 9110 §15.4.5). Error handlers don't see the exception. Raises ValueError for invalid
    ``headers``.
    """

    status = 304

    def __init__(self, headers: HeaderFields = ()) -> None:
        super().__init__(headers=headers)


def check_redirect(status: int) -> int:
    """Return the status of a redirect. Raises ValueError for any other status."""
    if status not in REDIRECTS:
        place = "" if isinstance(status, int) else ", which comes first, as in Response.redirect(location, 303)"
        raise explained("bad-status", f"a redirect's status must be 301, 302, 303, 307 or 308, not {status}{place}")
    return status


CHECKS_OF_WORDS: list[Callable[[str], None]] = []
"""Functions that raise an error for a location such as "index" that is a route's name, not a path."""

_is_word = compiled_late(r"[\w.-]+")


def redirect_location(
    location: str | None, external: bool, otherwise: str | None = None, origin: str | None = None
) -> str:
    """Return a URL reference in ASCII for Location, or ``otherwise`` for a location that isn't on this site.

    Text from a request must not lead users to a site of an attacker's choice (CWE-601). Raises ExternalLocation for a
    location with a host, unless ``external`` is True or ``otherwise`` is given, and ValueError for an ``otherwise``
    with a host.
    """
    if otherwise is None:
        if not isinstance(location, str):
            raise explained(
                "external-redirect", f"a redirect must go to a URL reference, not to {location!r}", TypeError
            )
        uri = as_uri(location)
        if _leaves.match(uri) and not external:
            raise explained("external-redirect", ExternalLocation(location))
        if _is_word.fullmatch(location):
            for check in CHECKS_OF_WORDS:
                check(location)
        return uri
    instead = as_uri(otherwise)
    if _leaves.match(instead):
        raise explained("external-redirect", f"{otherwise=} may lead to another site: pass a path")
    if external and location:
        return as_uri(location)
    return _on_this_site(location, origin) or instead


def _on_this_site(location: object, origin: str | None) -> str | None:
    """Return a client's location as a reference to this site; None if it isn't safe."""
    if not isinstance(location, str) or len(location) > _LONGEST:
        return None
    try:
        url = URL(location)  # which refuses text that browsers would read differently
        uri = as_uri(location)
        if _leaves.match(uri):
            uri = as_uri(url.target) if origin and url.origin == origin else ""
    except ValueError:
        return None
    return uri if len(uri) <= _LONGEST else None
