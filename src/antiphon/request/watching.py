"""The dependencies of a response on its request, whose head records what is read from it, so that caches can be told.

A server's head always records names in its ``reads``. A ``WatchedHead`` around it records them for a cache of our own,
which also tells apart what is read of cookies, of the query and by choices.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import AbstractContextManager
from itertools import islice
from threading import get_ident
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self, TypeVar

from antiphon.http.cookies import read_cookies
from antiphon.http.head import Address, DerivedHead, Head, server_head
from antiphon.http.header_property import of_fields
from antiphon.http.multidict import FirstMultiDict, MultiDict, Pairs, first_multidict_of
from antiphon.http.reads import (
    ADDRESS,
    EVERYTHING,
    HTTP_VERSION,
    NOTHING_READ,
    QUERY,
    UNRECORDED,
    Pause,
    is_this,
    record_read,
)
from antiphon.request.headers import RequestHeaders

if TYPE_CHECKING:
    from antiphon.request.request import Request

T = TypeVar("T")


class Choice(NamedTuple):
    """A value that is chosen from some header fields, such as a language: all that a response depends on in them."""

    fields: tuple[str, ...]
    of: Callable[[Head], str]
    """A function that returns the value for a request's head."""


class Reads:
    """The names under which a head records what was read and is not a header field."""

    EVERYTHING, ADDRESS, HTTP_VERSION, QUERY = EVERYTHING, ADDRESS, HTTP_VERSION, QUERY
    """All header fields, for code that passes them on; the client's address; the version; the whole query."""
    SESSION, USER, PAGE_NONCE, REQUEST_ID = ":session", ":user", ":nonce", ":request-id"
    """Values that are derived from a request or generated for it."""
    HOOKS = ":hooks"
    """A mounted application's hooks, which may refuse some requests."""
    CHOICE = ":choice "
    """The beginning of a choice's name. Processes that choose in the same way use the same name."""
    COOKIE, ARG = ":cookie ", ":arg "
    """The beginnings of the names of a cookie, and of an argument of the query, that was read by its name, without
    looking at the others.
    """
    are_args_named: ClassVar[bool] = False
    """True if arguments of the query are recorded by name, since a response of this process has No-Vary-Search."""
    choices: ClassVar[dict[str, Choice]] = {}
    """The choices by name. A response that depends on an unknown one fits no request."""
    cookies_of_callers: ClassVar[set[str]] = set()
    """The names of the cookies that tell callers apart; reading one of them is also recorded as reading the session."""

    @staticmethod
    def note(request: "Request", name: str) -> None:
        """Record that the response depends on something that is not in the head, such as a session.

        Every watch records it, because an application with a cache may be mounted in another one with a cache.
        """
        note_in_head(request.head, name)

    @staticmethod
    def unrecorded(head: Head, read: Callable[[], T]) -> T:
        """Return what a function reads from a head, without recording it."""
        with _paused(head, get_ident()):
            return read()

    @classmethod
    def add_choice(cls, name: str, fields: tuple[str, ...], of: Callable[[Head], str]) -> None:
        """Let a value that ``of`` chooses for a head, from these fields, be recorded by a name."""
        cls.choices[name] = Choice(fields, of)

    @classmethod
    def value(cls, head: Head, name: str) -> str | None:
        """Return the value in a head of what a watch has recorded by this name: a field, a cookie, a choice or the
        version. None if there is none, or if this process doesn't know the choice.
        """
        if name.startswith(cls.COOKIE):
            return repr(cookies_of(head).getall(name.removeprefix(cls.COOKIE)))
        if name.startswith(cls.CHOICE):
            return cls.choices[name].of(head) if name in cls.choices else None
        return head.http_version if name == cls.HTTP_VERSION else head.field(name)

    @classmethod
    def fields(cls, name: str) -> Collection[str]:
        """Return the header fields that a Vary has to list for what a watch has recorded by this name."""
        return cls.choices[name].fields if name in cls.choices else ("cookie" if name.startswith(cls.COOKIE) else name,)


class WatchedHead(DerivedHead):
    """A head that records what is read from it, as ``reads``: names of fields in lower case, and of other values.

    They exclude the path and the method, because a cache always depends on those.
    """

    def __init__(self, inner: Head) -> None:
        super().__init__(inner)
        self.reads: set[str] = set()
        self.paused_for: list[int | None] = []
        """The threads whose reads aren't recorded; None for all."""
        del self.field, self.fields  # so that the methods below are called: as attributes they'd refer to this object

    @classmethod
    def of(cls, head: Head) -> Self | None:
        """Return the innermost watch of this class on a head, or None."""
        return next((watch for watch in watches_of(head) if isinstance(watch, cls)), None)

    @staticmethod
    def takes_choices(head: Head) -> bool:
        """Return True if a watch on a head records choices by their names, not by the fields they are made from."""
        return any(watches_of(head))

    def put_on(self, request: "Request") -> None:
        """Give a request this head. Header values that were already read are forgotten, so that the next read is
        recorded.
        """
        request.head = self
        self.forget_fields(request)

    @staticmethod
    def forget_fields(request: "Request") -> None:
        """Forget the values that were computed from a request's header fields."""
        values = vars(request)
        for name in _OF_FIELDS.intersection(values):
            del values[name]

    @staticmethod
    def paused(request: "Request") -> AbstractContextManager[None]:
        """Return a context in which the innermost watch, if any, and the server's head record nothing."""
        return _paused(request.head, get_ident(), most=1)

    def note(self, name: str) -> None:
        """Record that something was read."""
        if not self.paused_for or not any(map(is_this, self.paused_for)):
            self.reads.add(name)

    def field(self, name: str) -> str | None:
        """Return the combined value of a header and record that it was read."""
        self.note(name)
        return self.inner.field(name)

    def fields(self) -> list[tuple[str, str]]:
        """Return every header and record that all of them were read."""
        self.note(Reads.EVERYTHING)
        return self.inner.fields()

    @property
    def query_string(self) -> bytes:
        """The query. Reading it is recorded."""
        self.note(Reads.QUERY)
        return self.inner.query_string

    @property
    def client(self) -> Address | None:
        """The client's address. Reading it is recorded."""
        self.note(Reads.ADDRESS)
        return self.inner.client

    @property
    def http_version(self) -> str:
        """The HTTP version. Reading it is recorded."""
        self.note(Reads.HTTP_VERSION)
        return self.inner.http_version


def watches_of(head: Head) -> Iterable[WatchedHead]:
    """Return all watches on a head, innermost first."""
    return _watches_of(head) if isinstance(head, DerivedHead) else ()


def _watches_of(head: Head) -> Iterator[WatchedHead]:
    while isinstance(head, DerivedHead):
        if isinstance(head, WatchedHead):
            yield head
        head = head.inner


class _WatchedPairs(MultiDict[str]):
    """Pairs that record the names under which they are read."""

    __slots__ = ()

    _head: Head
    _one: str
    _all: str

    def _note(self, name: object = None) -> None:
        """Record that the values of one name were read; None means all."""
        note_in_head(self._head, f"{self._one}{name}" if isinstance(name, str) else self._all)

    def __getitem__(self, name: str) -> str:
        self._note(name)
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        self._note(name)
        return super().__contains__(name)

    def get(self, name: str, *arguments: Any, **options: Any) -> Any:
        """Return the value for the given name, as in any MultiDict."""
        self._note(name)
        return super().get(name, *arguments, **options)

    def getall(self, name: str) -> list[str]:
        """Return all values for the given name, in order."""
        self._note(name)
        return [value for each, value in super().items() if each == name]

    def items(self) -> list[tuple[str, str]]:
        """Return every pair, in order."""
        self._note()
        return super().items()

    def keys(self) -> list[str]:
        """Return the distinct names."""
        self._note()
        return super().keys()

    def __iter__(self) -> Iterator[str]:
        self._note()
        return super().__iter__()

    def __len__(self) -> int:
        self._note()
        return super().__len__()

    def __bool__(self) -> bool:
        self._note()
        return super().__bool__()


class WatchedCookies(_WatchedPairs, FirstMultiDict[str]):
    """Cookies that record the names under which they are read; reading them all is recorded as reading the header."""

    __slots__ = ("_head",)

    _one, _all = Reads.COOKIE, "cookie"

    def __init__(self, head: DerivedHead) -> None:
        self._head = head
        super().__init__(cookies_of(head))

    def _note(self, name: object = None) -> None:
        super()._note(name)
        if name in Reads.cookies_of_callers:
            note_in_head(self._head, Reads.SESSION)

    def __reduce__(self) -> tuple[Any, ...]:
        return FirstMultiDict, (self.items(),)


class WatchedArgs(_WatchedPairs):
    """Arguments of the query that record the names under which they are read."""

    __slots__ = ("_head",)

    _one, _all = Reads.ARG, Reads.QUERY

    def __init__(self, head: Head, read: "Callable[[], Pairs[str]]") -> None:
        """Take what ``read`` returns. Its error depends on the whole query."""
        self._head = head
        try:
            super().__init__(unrecorded(head, read))
        except Exception:
            self._note()
            raise

    def only(self, names: Iterable[str]) -> MultiDict[str]:
        """Return the pairs with these names."""
        return MultiDict([(name, value) for name in names for value in self.getall(name)])

    def __reduce__(self) -> tuple[Any, ...]:
        return MultiDict, (self.items(),)


def cookies_of(head: Head) -> FirstMultiDict[str]:
    """Return the cookies in a head, without recording that they were read."""
    header = unrecorded(head, lambda: head.field("cookie"))
    return first_multidict_of(read_cookies(header) if header else {})


unrecorded = Reads.unrecorded
note_read = Reads.note


def note_in_head(head: Head, name: str) -> None:
    """Record in a head, and in the heads that it is derived from, that something was read without going through
    them.
    """
    for watch in watches_of(head):
        watch.note(name)
    record_read(server_head(head), name)


def reads_of(head: Head) -> frozenset[str]:
    """Return the names of all that was read from a request; EVERYTHING for a head that doesn't record it."""
    if isinstance(head, DerivedHead):
        head = server_head(head)
    reads = getattr(head, "reads", UNRECORDED)
    while isinstance(reads, Pause):
        reads = reads.reads
    return (reads or NOTHING_READ)[None]  # type: ignore[no-any-return]  # below None


class _PausedWatches(AbstractContextManager[None]):
    """A pause of a server's head, and of the ``most`` innermost watches on it."""

    __slots__ = ("_pause", "_thread", "_watches")

    def __init__(self, head: DerivedHead, thread: int | None, most: int | None) -> None:
        self._pause = Pause(server_head(head), thread)
        self._thread = thread
        self._watches = [*islice(watches_of(head), most)]

    def __enter__(self) -> None:
        for watch in self._watches:
            watch.paused_for.append(self._thread)
        self._pause.__enter__()

    def __exit__(self, kind: object, error: object, traceback: TracebackType | None) -> None:
        self._pause.__exit__(kind, error, traceback)
        for watch in self._watches:
            watch.paused_for.remove(self._thread)


def _paused(head: Head, thread: int | None, most: int | None = None) -> AbstractContextManager[None]:
    return _PausedWatches(head, thread, most) if isinstance(head, DerivedHead) else Pause(head, thread)


def unwatched(request: "Request", *, in_all_threads: bool = False) -> AbstractContextManager[None]:
    """Return a context in which features read a request without making the response depend on it.

    Code in it that waits must say ``in_all_threads``, since other tasks may run in its thread.
    """
    return _paused(request.head, None if in_all_threads else get_ident())


_OF_FIELDS = frozenset([name for name, value in vars(RequestHeaders).items() if isinstance(value, of_fields)]) | {
    "args",
    "cookies",
    "headers",
    "url",
}
"""The attributes that are computed from header fields or the query on first read."""
