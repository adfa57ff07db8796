"""A disk that is full, as the error that answers it."""

from collections.abc import Iterator
from contextlib import contextmanager
from errno import EDQUOT, EFBIG, ENOSPC

from antiphon.http.errors import InsufficientStorage

NO_ROOM = frozenset({ENOSPC, EDQUOT, EFBIG})
"""A disk, a quota, and the largest file of a file system or of a process."""


@contextmanager
def no_room_is_507() -> Iterator[None]:
    """Have what says that there is no room raise InsufficientStorage (507), with the OSError as its cause."""
    try:
        yield
    except OSError as error:
        if error.errno in NO_ROOM:
            raise InsufficientStorage("there is no room to store what was sent") from error
        raise
