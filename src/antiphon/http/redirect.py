"""Redirects: the statuses that lead elsewhere (RFC 9110 §15.4), and what is raised to answer with one."""

import re

from antiphon.http.headers import HeaderFields, MutableHeaders
from antiphon.http.url import as_uri


class RaisedAnswer(Exception):
    """Raised anywhere in the handling of a request, it is answered by its status, its headers and no content.

    ``location`` is a URL reference to which it leads, if it does. Error handlers don't see it.
    Raises ValueError for bad ``headers``.
    """

    status: int
    location: str | None = None

    def __init__(self, *arguments: object, headers: HeaderFields = ()) -> None:
        super().__init__(*arguments)
        self.headers = MutableHeaders(headers)


REDIRECTS = (301, 302, 303, 307, 308)
"""The statuses of redirects: by 303 the client goes on with GET, by 307 and 308 with the same method."""


_leaves = re.compile(r"//|[A-Za-z][A-Za-z0-9+.\-]*+:").match


def check_redirect(status: int) -> int:
    """The status. Raises ValueError for one that is no redirect's."""
    if status not in REDIRECTS:
        raise ValueError(f"{status} is not a redirect; 301, 302, 303, 307 and 308 are")
    return status


def redirect_location(location: str, external: bool) -> str:
    """A URL reference in ASCII, for Location. Raises ValueError for one that names a site, unless it is ``external``.

    What a client has sent must not lead its user to where somebody else wants them (CWE-601).
    """
    if not isinstance(location, str):
        raise TypeError(f"a redirect leads to a URL reference, not to {location!r}")
    uri = as_uri(location)
    if not external and _leaves(uri):
        raise ValueError(
            f"a redirect to {location[:200]!r} names a site, perhaps another one: give a path, or say external=True"
            " where the site is of your choice"
        )
    return uri


class Redirect(RaisedAnswer):
    """Raised anywhere in the handling of a request, it is answered by a redirect to ``location``, a URL reference.

    It stays on this site, unless it is ``external``. Error handlers don't see it. Raises ValueError for a location that
    names a site and is not, or that has a lone surrogate, for a status that is no redirect's, and for bad ``headers``;
    TypeError for a location that is no text.
    """

    def __init__(self, location: str, status: int = 303, headers: HeaderFields = (), *, external: bool = False) -> None:
        super().__init__(location, headers=headers)
        self.location = redirect_location(location, external)
        self.status = check_redirect(status)


class NotModified(RaisedAnswer):
    """Raised anywhere in the handling of a request for reading, it is answered by a 304 without content.

    ``headers`` are those of the 200 that it stands for, as far as caches keep them: Cache-Control, Content-Location,
    ETag, Expires, Vary. Error handlers don't see it. Raises ValueError for bad ``headers``.
    """

    status = 304

    def __init__(self, headers: HeaderFields = ()) -> None:
        super().__init__(headers=headers)
