"""The dependencies of a response on its request, whose head records what is read from it, so that caches can be told.

A server's head always records names in its ``reads``. A ``WatchedHead`` around it records them for a cache of our own,
which also tells apart what is read of cookies, of the query and by choices.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import AbstractContextManager
from itertools import islice
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self, TypeVar

from antiphon.http.cookies import read_cookies
from antiphon.http.head import Address, DerivedHead, Head, server_head
from antiphon.http.multidict import FirstMultiDict, MultiDict, Pairs, first_multidict_of
from antiphon.http.reads import ADDRESS, EVERYTHING, HTTP_VERSION, NOTHING_READ, QUERY, UNRECORDED, record_read
from antiphon.lazy import lazy
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
        self.is_paused = False
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
        return _Unrecorded(request.head, most=1)

    def note(self, name: str) -> None:
        """Record that something was read."""
        if not self.is_paused:
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


def unrecorded(head: Head, read: Callable[[], T]) -> T:
    """Return what a function reads from a head, without recording it."""
    server: Any = head
    if isinstance(head, DerivedHead) or (reads := getattr(server, "reads", UNRECORDED)) is UNRECORDED:
        with _Unrecorded(head):
            return read()
    server.reads = NOTHING_READ  # the same, in less time
    try:
        return read()
    finally:
        server.reads = reads


def note_read(request: "Request", name: str) -> None:
    """Record that the response depends on something that is not in the head, such as a session.

    Every watch records it, because an application with a cache may be mounted in another one with a cache.
    """
    note_in_head(request.head, name)


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
    return (getattr(head, "reads", UNRECORDED) or NOTHING_READ)[None]  # type: ignore[no-any-return]  # below None


class _Unrecorded(AbstractContextManager[None]):
    """A context in which nothing that is read from a head is recorded, or not by the ``most`` innermost watches.

    What is computed from fields in it, among a request's ``values``, is forgotten, so that other code reads it again.
    """

    __slots__ = ("_count", "_head", "_most", "_reads", "_server", "_values", "_watches")

    def __init__(self, head: Head, most: int | None = None, values: dict[str, Any] | None = None) -> None:
        self._head = head
        self._most = most
        self._values = values

    def __enter__(self) -> None:
        head: Any = self._head
        self._watches: Iterable[WatchedHead] = ()
        if isinstance(head, DerivedHead):
            # Those in which nothing is recorded already stay so afterwards.
            self._watches = [watch for watch in islice(watches_of(head), self._most) if not watch.is_paused]
            for watch in self._watches:
                watch.is_paused = True
            head = server_head(head)
        self._server = head
        self._reads = getattr(head, "reads", UNRECORDED)
        if self._reads is not UNRECORDED:
            head.reads = NOTHING_READ
        self._count = 0 if self._values is None else len(self._values)

    def __exit__(self, kind: object, error: object, traceback: TracebackType | None) -> None:
        if self._reads is not UNRECORDED:
            self._server.reads = self._reads
        for watch in self._watches:
            watch.is_paused = False
        if self._values is not None and len(self._values) > self._count:
            for name in _OF_FIELDS.intersection([*self._values][self._count :]):
                del self._values[name]


def unwatched(request: "Request") -> AbstractContextManager[None]:
    """Return a context in which features read a request without making the response depend on it."""
    return _Unrecorded(request.head, None, vars(request))


_OF_FIELDS = frozenset([name for name, value in vars(RequestHeaders).items() if isinstance(value, lazy)]) | {
    "args",
    "cookies",
    "headers",
    "url",
}
"""The attributes that are computed from header fields or the query on first read."""
