"""The interface of stores, the values that they return, and the stored form of data and responses.

The methods of stores are sync, without async versions. SQLite blocks in any case. A Valkey client on an event loop
wouldn't help the threads of a WSGI server, which would have to wait for that loop in each call. A client with a
connection pool serves threads directly, and loops through a thread. A store sets ``blocks`` if it waits for a disk or a
network. Features then call it on a thread: ``app.provide(dependency, source, blocking=store.blocks)``. In an ``async
def`` handler, use ``await asyncio.to_thread(store.load, key)``; a ``def`` handler calls the method directly.
"""

import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from functools import partial
from hashlib import sha256
from math import isfinite
from pathlib import Path
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

import msgspec

from antiphon.concurrency.loop import refuse_on_loop
from antiphon.explanations import explained, feature_in_use
from antiphon.handler.errors import is_debug
from antiphon.handler.failures import RAISES_ERRORS, and_more, note_outage
from antiphon.http.errors import ServiceUnavailable
from antiphon.response.response import Response, response_of

if TYPE_CHECKING:
    from antiphon.app.channel_log import ChannelLog


class StoredKind(NamedTuple):
    """A kind of entries, as ``FeatureStore.declare`` describes it. The keys of its entries begin with its name."""

    name: str
    until: Literal["minor", "major"] = "minor"
    unreadable: Literal["refused", "absent"] = "absent"
    format: int = 1

    @staticmethod
    def of(key: str) -> "StoredKind":
        """Return the kind of an entry, or of an owner's entries."""
        words = key.partition("\0")[0].partition("\n")[0]
        name = words if words in KINDS else words.partition(" ")[0]
        return KINDS.get(name, _UNKNOWN)

    def begin(self) -> bytes:
        """Return the byte with the number of the format, which is stored before the data."""
        return bytes([self.format])

    def encode(self, data: dict[str, Any]) -> bytes:
        """Return data that is known to be equal when read back as bytes."""
        return self.begin() + _write(data)

    def can_read(self, number: int) -> bool:
        """Return True if this version reads this format; if not, log that. Raises as ``log_unreadable`` does."""
        is_known = 0 < number <= self.format
        if not is_known:
            self.log_unreadable(f"has the format {number}")
        return is_known

    def log_unreadable(self, why: str) -> None:
        """Log that an entry can't be read: a line a second for each kind, with the number of the others.

        Raises StoreUnavailable (503) if an effect would be repeated if the entry were absent.
        """
        if note_outage(what := f"stored {self.name}")[1]:
            text = "this version of Antiphon can't read an entry of the store, of the kind %s, which %s: %s%s"
            done = "requests that need it get a 503" if self.unreadable == "refused" else "it is treated as absent"
            logging.getLogger("antiphon").error(text, self.name, why, done, and_more(what))
        if self.unreadable == "refused":
            raise StoreUnavailable.for_now(has_line=True)


KINDS: dict[str, StoredKind] = {}
"""The kinds that are declared, by how their keys begin."""
_UNKNOWN = StoredKind("unknown")


def _plain(value: object) -> object:
    """Return the plain text or number of a subclass instance: a URL is text."""
    for kind in (str, int, float):
        if isinstance(value, kind):
            return kind(value)
    raise TypeError(type(value).__name__)


_write = msgspec.msgpack.Encoder(enc_hook=_plain).encode
_read = msgspec.msgpack.Decoder().decode
_read_data = msgspec.msgpack.Decoder(dict[str, Any]).decode


def encode_value(
    name: str, value: object, write: Callable[[object], bytes] = _write, read: Callable[[bytes], object] = _read
) -> bytes:
    """Return a value as bytes. Raises TypeError, with its name, if it wouldn't be equal when read back."""
    if not isinstance(name, str):
        raise explained(
            "not-storable", f"a store keeps values under names, which must be text, not {name!r}", TypeError
        )
    try:
        written = write(value)
        again = read(written)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise explained("not-storable", f"{name!r} can't be stored: {error}", TypeError) from error
    # Compared, because msgspec changes some values without an error, such as a tuple into a list.
    if again != value:
        raise explained(
            "not-storable",
            f"{name!r} can't be stored: {value!r:.200} would come back as {again!r:.200}. Store JSON values,"
            " bytes, and datetimes with a time zone",
            TypeError,
        )
    return written


def decode_value(written: bytes) -> Any:
    """Return the value that these bytes encode. Raises ValueError if they don't encode any."""
    return _read(written)


def encode(data: Mapping[str, Any], key: str = "") -> bytes:
    """Return data as bytes, with the number of the format of the key's kind.

    Raises TypeError, with the value's name, if a value wouldn't be equal when read back.
    """
    data, kind = dict(data), StoredKind.of(key)
    try:
        # At once for all, because most data can be stored; one by one only to name what can't.
        if _read_data(written := _write(data)) == data:
            return kind.begin() + written
    except (TypeError, ValueError, OverflowError, RecursionError):
        pass
    for name, value in data.items():
        encode_value(name, value)
    raise explained("not-storable", f"this can't be stored: {data!r:.200}", TypeError)


def decode(stored: bytes, key: str = "") -> dict[str, Any] | None:
    """Return the data that these bytes encode. If a later release or other software wrote them, log that and return
    None. Raises StoreUnavailable (503) if that would repeat an effect, as ``key`` tells.
    """
    kind = StoredKind.of(key)
    if not kind.can_read(stored[0] if stored else 0):
        return None
    try:
        return _read_data(stored[1:])  # up to many kilobytes, a copy is faster than a view
    except ValueError as error:
        kind.log_unreadable(f"is damaged, {error!r}")
        return None


RETRY_AFTER = 2
"""The number of seconds after which a client may try again what a store or another request holds up."""


class StoreUnavailable(ServiceUnavailable):
    """503: the store doesn't respond, or doesn't respond in time. Nothing was partially written, and the next call
    tries again.
    """

    _is_outage = True
    _has_line = False
    """True if the store itself logs the outage, so that not each request has to."""

    @staticmethod
    def for_now(*, has_line: bool = False) -> "StoreUnavailable":
        """Return the error for clients while a store is unavailable, which ``has_line`` in the log or needs one."""
        error = StoreUnavailable("Please try again in a moment.", retry_after=RETRY_AFTER)
        error._has_line = has_line
        return error


class StoreEntry(NamedTuple):
    """Data that a store keeps under a key.

    ``version`` changes with each change. ``created``, ``changed`` and ``expires`` are in seconds since 1970. ``owner``
    is the owner by which ``owned_by`` finds the entry; None if it has no owner, or if the store doesn't know the owner.
    """

    key: str
    data: dict[str, Any]
    version: int
    created: float
    changed: float
    expires: float
    owner: str | None = None


class OwnedEntry(NamedTuple):
    """An entry as its owner may see it, with an ``id`` instead of the secret key.

    ``created``, ``changed`` and ``expires`` are in seconds since 1970.
    """

    id: str
    data: dict[str, Any]
    created: float
    changed: float
    expires: float


class StoreCount(NamedTuple):
    """A counter: its value, and the number of seconds until it restarts at 0."""

    value: int
    seconds_left: float


def owned_entries(
    owner: str, found: Iterable[tuple[str, Any]], read: Callable[[str, Any], StoreEntry | None]
) -> list[OwnedEntry]:
    """Return the entries of an owner that can be read, oldest first; the others are logged. ``read`` gets a name of
    their kind, and what is stored.
    """
    owned = []
    for id_, stored in found:
        with suppress(StoreUnavailable):
            entry = read("session" if StoredKind.of(owner) is _UNKNOWN else owner, stored)  # see ``name_of``
            if entry is not None and entry.owner == owner:  # Valkey may find an earlier owner's
                owned.append(OwnedEntry(id_, entry.data, *entry[3:6]))
    return sorted(owned, key=lambda each: each.created)


class Store(ABC):
    """Entries and counters under keys. Each expires after its ``ttl``, in seconds; by default, it never does.

    The data of an entry maps names to JSON values, bytes, and datetimes with a time zone, which are returned in UTC.
    Storing a value that wouldn't be equal when read back raises a TypeError with the value's name. Keys may be any
    text. A store keeps only their hashes, so someone who reads its file finds no usable key. An expired entry can't be
    read any more. Methods raise ValueError for a ``ttl`` that isn't greater than 0, and StoreUnavailable (503) if the
    store doesn't respond in time. All of them are thread-safe.
    """

    FOREVER: ClassVar[float] = 100 * 365 * 24 * 3600.0
    """The ``ttl`` of an entry that is kept until it is deleted: a hundred years."""

    blocks: ClassVar[bool] = True
    """True if the methods wait for a disk or a network, and should run on a thread."""

    is_server_side: ClassVar[bool] = True
    """True if entries are kept here, and only their keys are sent to clients."""

    ON_SERVER: ClassVar[str] = "SQLiteStore(path), PostgresStore(url) or ValkeyStore(url)"
    """The stores that error messages suggest."""

    clock: Callable[[], float] = staticmethod(time.time)
    """Return the time by which entries expire, in Unix seconds."""

    keeps_files: ClassVar[bool] = False
    """True if there is a folder for files that belong to entries, as in stores on a single machine."""

    @staticmethod
    def refuse_on_loop() -> None:
        """Raise RuntimeError on an event loop, which a call that waits would block: in debug mode, and in requests of
        a test client.
        """
        if RAISES_ERRORS.get() or is_debug():
            refuse_on_loop("a method of the store", "asyncio.to_thread(store.load, key)")

    def new_key(self) -> str:
        """Return an unguessable key of 256 bits for a new entry."""
        return token_urlsafe(32)

    def check_value(self, name: str, value: object) -> None:
        """Raise TypeError, with the value's name, if a value can't be stored."""
        encode_value(name, value)

    def shares_entries(self, other: "Store") -> bool:
        """Return True if a key is valid in both stores, such as two stores with the same file."""
        return self is other

    def bounded(self, max_bytes: int) -> "Store":  # noqa: ARG002 - for stores that count bytes
        """Return a store of separate entries with up to ``max_bytes`` bytes. The least recently used are dropped first.

        A store that can't count bytes returns itself.
        """
        return self

    def files_folder(self, *, make: bool) -> Path | None:  # noqa: ARG002 - for stores of one machine
        """Return the folder for files that belong to entries, or None if the store keeps none.

        Without ``make``, it is also None if the folder does not exist yet. Raises OSError.
        """
        return None

    def channel_log(self, name: str) -> "ChannelLog | None":  # noqa: ARG002 - for stores that keep channels
        """Return the log with a channel of this name, or None if the store keeps no channels."""
        return None

    @abstractmethod
    def load(self, key: str) -> StoreEntry | None:
        """Return the entry under a key, or None if there is none."""

    def reload(self, known: StoreEntry) -> StoreEntry | None:
        """Return an entry's current state: the same object if nothing has changed it, None if it no longer exists."""
        return self.load(known.key)

    def unchanged_check(self, known: StoreEntry) -> tuple[Callable[[Any], object], Any, object]:
        """Return a cheap check that an entry is unchanged. The check need not count as a use of the entry.

        The result is a function, its argument, and the same object that the function returns while the entry is
        unchanged. The function raises StoreUnavailable (503).
        """
        return self.reload, known, known

    @abstractmethod
    def change(
        self,
        key: str,
        updates: Mapping[str, Any],
        *,
        ttl: float = FOREVER,
        remove: Iterable[str] = (),
        create: bool = True,
        owner: str | None = None,
    ) -> StoreEntry | None:
        """Set some names of an entry, remove others, and let it expire ``ttl`` seconds from now; return the entry.

        The other names keep their current values in the store, so concurrent changes aren't lost. Without any names,
        the call only extends the entry's lifetime. ``owned_by`` finds the entry by its ``owner``; None leaves the owner
        unchanged. A missing entry is created. With ``create=False``, None is returned instead, so that an entry that
        was deleted in the meantime stays deleted. Raises StoreUnavailable (503) for an entry that can't be read, which
        is not written over.
        """

    @abstractmethod
    def delete(self, key: str) -> bool:
        """Delete an entry and return True if there was one."""

    @abstractmethod
    def rotate(self, key: str, new_key: str) -> StoreEntry | None:
        """Move an entry to a new key and return it, or None if there is none. The old key no longer has an entry."""

    @abstractmethod
    def owned_by(self, owner: str) -> list[OwnedEntry]:
        """Return the entries of an owner, oldest first."""

    @abstractmethod
    def delete_owned(self, owner: str, *, only: str | None = None, keep: str | None = None) -> int:
        """Delete an owner's entries and return how many there were.

        ``only`` is the ``id`` of the single entry to delete, which must belong to the owner; ``keep`` is the key of an
        entry to keep.
        """

    @abstractmethod
    def add(self, key: str, data: Mapping[str, Any], *, ttl: float = FOREVER) -> StoreEntry | None:
        """Create an entry and return it, or return None if it already exists. Only one of several concurrent calls
        succeeds.
        """

    @abstractmethod
    def replace(self, key: str, data: Mapping[str, Any], *, version: int, ttl: float = FOREVER) -> StoreEntry | None:
        """Replace an entry's data and return it, or return None unless it still has this version."""

    @abstractmethod
    def increment(self, key: str, *, ttl: float = FOREVER, by: int = 1) -> StoreCount:
        """Add ``by`` to the counter under a key and return the counter. 0 only reads it, and a negative number
        subtracts.

        It begins at 0 and starts over ``ttl`` seconds after the first call; all calls must pass the same ``ttl``. A
        counter and an entry may have the same key.
        """

    def check(self) -> None:
        """Raise StoreUnavailable unless the store responds. Useful in a readiness probe."""
        self.load("check")

    def close(self) -> None:  # noqa: B027 - most stores have nothing to close
        """Close connections and files. A later call opens them again."""


_SKEW = 60
"""The number of seconds by which the clocks of two servers may differ."""


def hash_key(key: str) -> bytes:
    """Return the hash under which a key is stored. It also works for text from clients that is not valid Unicode."""
    return sha256(key.encode("utf-8", "surrogatepass")).digest()


class FeatureStore:
    """The store that a feature uses: its own, or that of the application that uses it.

    A feature that also works without a store passes False as its own store to do so. If the feature has its own store,
    raises the same errors as ``check``.
    """

    RETRY_AFTER = RETRY_AFTER
    """The seconds after which a client may try again what can't be done now."""

    @staticmethod
    def name_of(*parts: str) -> str:
        """Return a name for a key, an owner or a channel in a store: no other parts have it, whatever they contain.

        A single part without control characters is its own name. Owners of two parts are a cookie and the owner of its
        sessions, so the owners of all other features' entries have at least three, and the first is their kind.
        """
        # The escape first, or the escaped NUL would be escaped again.
        return "\0".join([part.replace("\1", "\1\1").replace("\0", "\1\2") for part in parts])

    def __init__(self, feature: str, own: Store | Literal[False] | None, *, client_side: bool = False) -> None:
        if own is not None and own is not False:
            self.check(feature, own, client_side=client_side)
        self.own = None if own is False else own
        self._is_refused = own is False
        self._feature = feature
        self._client_side = client_side
        self._taken: Store | None = None

    @property
    def current(self) -> Store:
        """The store. Raises RuntimeError if ``taken_from`` hasn't been called, unless the feature has its own store."""
        store = self._taken if self.own is None else self.own
        if store is None:
            raise explained(
                "missing-store",
                f"{self._feature} has no store yet: pass it to app.use in an App(store=SQLiteStore(path)), or give"
                f" it its own, {self._feature}(..., store=SQLiteStore(path))",
                RuntimeError,
            )
        return store

    def taken_if_any(self, app: Any) -> Store | None:
        """Return the store for an application, or None if there is none or none is wanted.

        Raises the same errors as ``taken_from``.
        """
        if self._is_refused or (self.own is None and not isinstance(getattr(app, "store", None), Store)):
            return None
        return self.taken_from(app)

    def taken_from(self, app: Any) -> Store:
        """Return the store for an application. A feature has one store, even if several applications use the feature.

        Raises the same errors as ``App.store_for``, and ValueError for the second of two applications with different
        stores.
        """
        if not hasattr(app, "store_for"):  # a dialect's application, or none at all
            if self.own is None:
                raise missing_store(self._feature)
            return self.own
        store: Store = app.store_for(self._feature, self.own, client_side=self._client_side)
        if self.own is None and self._taken is not None and not store.shares_entries(self._taken):
            raise explained(
                "feature-used-twice",
                f"{self._feature} is used by two applications with different stores: make one for each of them,"
                f" or give it a store of its own, {self._feature}(..., store=...)",
            )
        self._taken = store
        return store

    @staticmethod
    def check(feature: str, store: object, *, client_side: bool = False, of_app: bool = False) -> None:
        """Check a feature's store. Error messages begin with the feature's name. ``of_app`` means that the store
        belongs to the app.

        Raises TypeError for anything but a store, and, unless the store may be ``client_side``, ValueError for a store
        whose entries are kept by clients.
        """
        if not isinstance(store, Store):
            made = f": {store.__name__}(...)" if isinstance(store, type) and issubclass(store, Store) else ""
            raise explained(
                "not-a-store",
                f"{feature}: store must be a store such as {Store.ON_SERVER}, not {store!r:.80}{made}",
                TypeError,
            )
        if not (client_side or store.is_server_side):
            own = f"; instead of that of App(store=...), give it its own: {feature}(..., store=...)" if of_app else ""
            raise explained(
                "store-cannot",
                f"{feature} needs a store on the server, such as {Store.ON_SERVER}, not a {type(store).__name__}, whose"
                f" entries are kept by clients{own}",
            )

    @staticmethod
    def declare(
        kind: str,
        *,
        until: Literal["minor", "major"],
        unreadable: Literal["refused", "absent"],
        format: int = 1,  # noqa: A002 - the word of the documentation
    ) -> Callable[..., str]:
        """Declare a kind of entries. Return a function that makes names of their keys and owners, which begin with it.

        Each version up to the next ``until`` version reads them. If an entry can't be read, requests that need it are
        "refused" (503), because an effect would be repeated, or a refusal forgotten, if it were "absent". ``format`` is
        written with each entry, and lower numbers are read: raise it once versions before can't read what is written. A
        kind keeps its name, since older and newer versions look for it at once.
        """
        KINDS[kind] = StoredKind(kind, until, unreadable, format)
        return partial(FeatureStore.name_of, kind)

    @staticmethod
    def spend(store: Store, *name: str, now: float, until: float, longest: float) -> bool:
        """Return True for the first use of a value that is valid once, in all processes, until a time.

        It is valid for ``longest`` seconds at most, even if a clock was set back. This calls the store.
        """
        if not now < until <= now + longest + _SKEW:
            return False
        return store.add(_spent(*name), {}, ttl=2 * (longest + _SKEW)) is not None

    @staticmethod
    def note_memory(app: Any, feature: str) -> None:
        """Note that a feature of an App keeps its state in the memory of each process, for lack of a store."""
        if (in_use := getattr(app, "_stores_in_use", None)) is not None:
            in_use.add((feature, None))


_spent = FeatureStore.declare("spent", until="minor", unreadable="refused")


def missing_store(feature: str) -> RuntimeError:
    """Return the error for a feature without its own store, in an application without one."""
    return explained(
        "missing-store",
        f"{feature} needs a store: give one to the whole application, App(store=SQLiteStore(path)), or to the"
        f" feature, {feature}(..., store=SQLiteStore(path)). A mounted App does not use the store of the App around"
        " it",
        RuntimeError,
    )


def check_ttl(ttl: float) -> None:
    """Raise ValueError for a time to live that isn't greater than 0."""
    if not (isfinite(ttl) and ttl > 0):
        raise explained("bad-feature-option", f"ttl must be a number of seconds above 0, not {ttl!r}")


def unavailable(store: str, error: Exception) -> StoreUnavailable:
    """Log that a store failed, for which feature, and how many requests also failed: a line a second. Return the error
    for clients, without the reason.
    """
    feature = feature_in_use()
    prefix = "" if feature is None else f"{feature}: "
    refusal = StoreUnavailable.for_now(has_line=True)
    if note_outage(f"{prefix}{store} {type(error).__name__}")[1]:
        message = "%sthe store %s is not available: %s%s"
        reason = " ".join(str(error).split())
        logging.getLogger("antiphon").error(message, prefix, store, reason, and_more(str(refusal)))
    return refusal


class KeptResponse:
    """A response in the form that a store keeps: its status, header fields and body (as bytes)."""

    OF_ONE_EXCHANGE = frozenset({"connection", "content-length", "keep-alive", "transfer-encoding", "upgrade"})
    """Header fields about one connection and its framing, which aren't stored (RFC 9110 §7.6.1)."""

    OF_ONE_VISITOR = OF_ONE_EXCHANGE | {"ratelimit", "ratelimit-policy", "secure-session-registration", "set-cookie"}
    """The fields above, and those that apply to the first visitor only, such as a rate limit's remaining requests."""

    @staticmethod
    def is_retried(status: int) -> bool:
        """Return True for the status of a response after which a retry is carried out: the response isn't kept."""
        return status >= 500 or status in (408, 425, 428, 429)

    @staticmethod
    def data(response: Response, left_out: Collection[str] = OF_ONE_VISITOR) -> dict[str, Any]:
        """Return the data to store of a response."""
        fields = [[name, value] for name, value in response._fields if name not in left_out]
        return {"status": response.status, "fields": fields, "body": response.body}

    @staticmethod
    def of(data: Mapping[str, Any]) -> Response:
        """Return a new response, made from stored data."""
        response = response_of(data["body"], [(name, value) for name, value in data["fields"]])
        if data["status"] != 200:
            response.status = data["status"]
        return response
