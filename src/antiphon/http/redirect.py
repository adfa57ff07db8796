"""Redirects: the statuses that lead elsewhere (RFC 9110 §15.4), and what is raised to answer with one."""

from antiphon.http.headers import HeaderFields
from antiphon.http.raised_answer import RaisedAnswer

REDIRECTS = (301, 302, 303, 307, 308)
"""The statuses of redirects: by 303 the client goes on with GET, by 307 and 308 with the same method."""


def check_redirect(status: int) -> int:
    """The status. Raises ValueError for one that is no redirect's."""
    if status not in REDIRECTS:
        raise ValueError(f"{status} is not a redirect; 301, 302, 303, 307 and 308 are")
    return status


class Redirect(RaisedAnswer):
    """Raised anywhere in the handling of a request, it is answered by a redirect to ``location``, a URL reference.

    Error handlers don't see it. Raises ValueError for a status that is no redirect's, for bad ``headers``, and for a
    location with a lone surrogate; TypeError for one that is no text.
    """

    def __init__(self, location: str, status: int = 303, headers: HeaderFields = ()) -> None:
        if not isinstance(location, str):
            raise TypeError(f"a redirect leads to a URL reference, not to {location!r}")
        location.encode()  # raises here and not where it is answered
        super().__init__(location, headers=headers)
        self.location = location
        self.status = check_redirect(status)
