"""What is raised to answer that a client has the current version already (RFC 9110 §15.4.5)."""

from antiphon.http.headers import HeaderFields
from antiphon.http.raised_answer import RaisedAnswer


class NotModified(RaisedAnswer):
    """Raised anywhere in the handling of a request for reading, it is answered by a 304 without content.

    ``headers`` are those of the 200 that it stands for, as far as caches keep them: Cache-Control, Content-Location,
    ETag, Expires, Vary. Error handlers don't see it. Raises ValueError for bad ``headers``.
    """

    status = 304

    def __init__(self, headers: HeaderFields = ()) -> None:
        super().__init__(headers=headers)
