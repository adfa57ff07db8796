"""What is raised to answer a request and is no error: a redirect, or that nothing has changed."""

from antiphon.http.headers import HeaderFields, MutableHeaders


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
