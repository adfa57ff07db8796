"""The names of what was read from a request, as its head records them: all that a response may depend on."""

from operator import attrgetter
from threading import Lock
from typing import Any, TypeAlias

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
_recording = Lock()


@accelerated
def record_read(head: object, name: str, /) -> None:
    """Record in a server's head that something was read from the request, since the response may depend on it."""
    try:
        # Between the two reads and the assignment, no other thread runs, which may read at the same time.
        head.reads = (head.reads or NOTHING_READ)[name]  # type: ignore[attr-defined]  # else see below
    except KeyError:
        with _recording:
            head.reads = _with(head.reads or NOTHING_READ, name)  # type: ignore[attr-defined]
    except AttributeError:  # a head that doesn't record what is read from it
        pass


def _with(before: NamesRead, name: str) -> NamesRead:
    """Return the names with one more. What is kept is bounded, as code may read names that clients choose."""
    names = before[None] | {name}
    if len(_known) >= _MOST_KNOWN:
        _known.clear()
        for each in NOTHING_READ.keys() - {None}:
            del NOTHING_READ[each]
    after = before[name] = _known.setdefault(names, {None: names})
    return after


def recorded(attribute: str, name: str) -> Any:
    """Return a property with the value of another attribute, whose reads are recorded."""
    read = attrgetter(attribute)

    def value(head: object) -> Any:
        record_read(head, name)
        return read(head)

    return property(value)
