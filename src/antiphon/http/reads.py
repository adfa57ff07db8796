"""The names of what was read from a request, as its head records them: all that a response may depend on."""

from operator import attrgetter
from threading import Lock, get_ident
from typing import Any, TypeAlias

from antiphon.lazy import PAUSES
from antiphon.speedups import PURE, accelerated

EVERYTHING, ADDRESS, HTTP_VERSION, QUERY = "*", ":address", ":http-version", ":query"
"""The names under which a server's head records, in its ``reads``, that all its fields, the client's address, the
version or the whole query were read. Any other name is that of a field.
"""

NamesRead: TypeAlias = dict[str | None, Any]
"""The names of what was read from a request, below None, and by each further name those with it: the next such dict.

Requests read the same values again and again, so all that a read costs is a lookup.
"""
NOTHING_READ: NamesRead = {None: frozenset()}
PURE["NOTHING_READ"] = NOTHING_READ  # for C
UNRECORDED: NamesRead = {None: frozenset({EVERYTHING})}
"""What is known of a head that doesn't record what is read from it."""
_known: dict[frozenset[str], NamesRead] = {}
_MOST_KNOWN = 1000
_learning = Lock()


@accelerated
def record_read(head: object, name: str, /) -> None:
    """Record in a server's head that something was read from the request, since the response may depend on it."""
    try:
        # Between the two reads and the assignment, no other thread runs, which may read at the same time.
        head.reads = (head.reads or NOTHING_READ)[name]  # type: ignore[attr-defined]  # else see below
    except KeyError:
        _record_first(head, name)
    except AttributeError:  # a head that doesn't record what is read from it
        pass


def _record_first(head: Any, name: str) -> None:
    reads = head.reads or NOTHING_READ
    if isinstance(reads, Recorder):
        reads.record(head, name)
        return
    with _learning:
        _learn(reads, name)
    record_read(head, name)  # to what is recorded now: another thread may have read meanwhile


def _learn(before: NamesRead, name: str) -> None:
    """Let names know those with one more. What is kept is bounded, as code may read names that clients choose."""
    names = before[None] | {name}
    if len(_known) >= _MOST_KNOWN:
        _known.clear()
        for each in NOTHING_READ.keys() - {None}:
            del NOTHING_READ[each]
    before[name] = _known.setdefault(names, {None: names})


class Recorder(NamesRead):
    """What a head has as its ``reads`` while an object is told of each read instead."""

    __slots__ = ()

    def __init__(self, names: frozenset[str] = frozenset()) -> None:
        self[None] = names

    def record(self, head: Any, name: str, /) -> None:
        """Record, in a head that has this object as its ``reads``, that something was read."""


class Pause(Recorder):
    """A context in which a thread, or every thread for None, reads a server's head without recording that.

    What other threads read is recorded, and pauses of several threads may overlap.
    """

    __slots__ = ("_head", "_thread", "reads")

    reads: NamesRead | None

    def __init__(self, head: Any, thread: int | None) -> None:
        super().__init__()
        self._head = head
        self._thread = thread

    def __enter__(self) -> None:
        PAUSES.append(None)
        head = self._head
        try:
            # Between the read and the assignment, no other thread runs.
            self.reads = head.reads
            head.reads = self
        except AttributeError:  # a head that doesn't record what is read from it
            self.reads = UNRECORDED

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        self._thread = 0  # no thread's number: after this one, another may end that began earlier
        if self.reads is not UNRECORDED and self._head.reads is self:
            self._head.reads = self.reads
        PAUSES.pop()

    def record(self, head: Any, name: str, /) -> None:
        """Record what another thread has read."""
        if not is_this(self._thread):
            record_read(self, name)
            if head.reads is not self:  # it may have ended before that
                record_read(head, name)


def is_this(thread: int | None) -> bool:
    """Return True for the number of this thread, and for None, which stands for every thread."""
    return thread is None or thread == get_ident()


def recorded(attribute: str, name: str) -> Any:
    """Return a property with the value of another attribute, whose reads are recorded."""
    read = attrgetter(attribute)

    def value(head: object) -> Any:
        record_read(head, name)
        return read(head)

    return property(value)
