"""What every request of one client has in common for the server's side."""

from typing import NamedTuple, TypeAlias

from antiphon.http.url import unquote
from antiphon.testing.sent_request import SentRequest

Address: TypeAlias = tuple[str, int]


class Connection(NamedTuple):
    """The client's address, the mount point, and whether an application's errors are raised in the test.

    ``root_path`` is decoded, and without a slash at its end.
    """

    client: Address | None
    root_path: str
    raise_errors: bool

    def check(self, request: SentRequest) -> SentRequest:
        """The same request. Raises ValueError for one that a server would not give to this application."""
        path, root = unquote(request.raw_path), self.root_path
        if root and path != root and not path.startswith(f"{root}/"):
            raise ValueError(f"{path!r} does not lie below the root_path {root!r}, at which the application stands")
        return request
