"""The watch on a request: its head notes what is read of it, so that a cache knows what a response depends on."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING

from antiphon.http.head import Address, DerivedHead, Head
from antiphon.lazy import lazy
from antiphon.request.headers import RequestHeaders

if TYPE_CHECKING:
    from antiphon.request.request import Request

EVERYTHING = "*"
"""The name that stands for all header fields, for code that passes them on."""
ADDRESS = ":address"
"""The name that stands for the client's address."""
HTTP_VERSION = ":http-version"
SESSION, USER, PAGE_NONCE = ":session", ":user", ":nonce"
"""The names of values that features make from a request, or for it."""


class WatchedHead(DerivedHead):
    """A head that notes what is read of it, as ``reads``: names of fields in lower case, and of other values.

    The URL and the method are not among them: a cache always depends on these.
    """

    def __init__(self, inner: Head) -> None:
        super().__init__(inner)
        self.reads: set[str] = set()
        self.is_paused = False
        del self.field, self.fields  # for the methods below: as attributes, these would refer to this head

    def note(self, name: str) -> None:
        """Note that something was read."""
        if not self.is_paused:
            self.reads.add(name)

    def field(self, name: str) -> str | None:
        """Return a header's value, whose reading is noted."""
        return self._watched_field(name)

    def fields(self) -> list[tuple[str, str]]:
        """Return every header, whose reading is noted."""
        return self._watched_fields()

    def _watched_field(self, name: str) -> str | None:
        self.note(name)
        return self.inner.field(name)

    def _watched_fields(self) -> list[tuple[str, str]]:
        self.note(EVERYTHING)
        return self.inner.fields()

    @property
    def client(self) -> Address | None:
        """The client's address, whose reading is noted."""
        self.note(ADDRESS)
        return self.inner.client

    @property
    def http_version(self) -> str:
        """The version of HTTP, whose reading is noted."""
        self.note(HTTP_VERSION)
        return self.inner.http_version


def watch_of(head: Head) -> WatchedHead | None:
    """Return the watch that a head is below; None if there is none."""
    while isinstance(head, DerivedHead):
        if isinstance(head, WatchedHead):
            return head
        head = head.inner
    return None


def note_read(request: "Request", name: str) -> None:
    """Note that the response depends on something that is not in the head, such as a session."""
    watch = watch_of(request.head)
    if watch is not None:
        watch.note(name)


def put_on_watch(request: "Request", watch: WatchedHead) -> None:
    """Give a request a head that is watched. Values of header fields that were read before are read again."""
    request.head = watch
    forget_fields(request)


def forget_fields(request: "Request") -> None:
    """Forget the values that were made from header fields."""
    values = vars(request)
    for name in _OF_FIELDS.intersection(values):
        del values[name]


def unwatched(request: "Request") -> AbstractContextManager[None]:
    """Return a context in which features look at a request without making the response depend on that."""
    watch = watch_of(request.head)
    return _paused(request, watch) if watch is not None and not watch.is_paused else _UNWATCHED


_UNWATCHED = nullcontext()


@contextmanager
def _paused(request: "Request", watch: WatchedHead) -> Iterator[None]:
    before = {*vars(request)}
    watch.is_paused = True
    try:
        yield
    finally:
        watch.is_paused = False
        for name in _OF_FIELDS.intersection(vars(request)) - before:
            del vars(request)[name]


_OF_FIELDS = frozenset([name for name, value in vars(RequestHeaders).items() if isinstance(value, lazy)]) | {
    "cookies",
    "headers",
}
"""The attributes that are computed from header fields on first read."""
