"""What every request of one client has in common for the server's side."""

from typing import NamedTuple

Address = tuple[str, int]


class Connection(NamedTuple):
    """The other end, the mount point, and whether an application's errors are raised in the test.

    ``root_path`` is decoded and without a slash at its end.
    """

    client: Address | None
    root_path: str
    raise_errors: bool
