"""The responses that a cache keeps in a store: an entry for each URL, the claim to fill it, and its removal.

An entry is changed only if it is still the one that was read, so no request undoes another's work. A forgotten URL
leaves a mark, so a response made from older data is not stored.
"""

import os
import platform
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache, partial
from math import inf
from pathlib import Path
from secrets import token_hex
from typing import Any
from urllib.parse import unquote
from zlib import crc32

from antiphon import Request, Response
from antiphon.embedding import SAFE_METHODS, FeatureStore, Head
from antiphon.features import Store, StoreEntry, StoreUnavailable
from antiphon.features.cache.entry import MOST_VARIANTS, Args, StoredResponse
from antiphon.features.cache.files import BodyFiles
from antiphon.features.stores.rows import RowStore
from antiphon.http import URL

_CLAIM, _PASSES, _STREAMS = "claim", "passes", "streams"
_named = FeatureStore.declare("cache", until="minor", unreadable="absent")
_ATTEMPTS = 8
"""The number of attempts to change an entry that others change at the same time."""

PASSES_FOR = 60.0
"""The number of seconds that requests for a URL don't wait for one another after its response could not be stored."""

_MARK_KEPT = 600.0
"""The number of seconds that a store remembers forgotten responses: longer than handlers run."""

_PROOF_KEPT = 86400.0
"""The number of seconds that a store remembers a route whose responses are stored."""

_MOST_ARGS = 32
"""The maximum number of arguments by which a route's responses are told apart; above that, by the whole query."""
_ASKED_AGAIN, _MOST_UNKNOWN = 1.0, 4096
"""The seconds after which the store is asked again about a route, and the number of routes whose time is kept."""

_MARKS = 1024
"""The number of marks for forgotten URLs: about 0.4 MB in memory."""

CLOCKS_APART = 1.0
"""The number of seconds by which machines' clocks may differ."""


MOST_RECENT = 256
"""The number of URLs whose responses a process keeps in memory, already parsed."""
SMALL = 32 << 10
"""The maximum size of such a response's entry, in bytes; all of them together take at most about 8 MiB."""


class Shelved:
    """The entry of one URL: the stored responses, and the claim of a request that is making a new one."""

    __slots__ = ("entry", "key", "responses")

    def __init__(self, key: str, entry: StoreEntry | None, files: BodyFiles) -> None:
        self.key = key
        self.entry = entry
        self.responses = _responses({} if entry is None else entry.data, files)

    def best(self, head: Head) -> StoredResponse | None:
        """Return the latest stored response that fits a request (RFC 9111 §4.1)."""
        responses = self.responses
        if len(responses) == 1 and not responses[0].is_in_file:  # true of most URLs
            return responses[0] if responses[0].satisfies(head) else None
        matching = [stored for stored in responses if stored.satisfies(head) and stored.is_there]
        return max(matching, key=lambda stored: stored.received, default=None)

    def is_claimed(self, now: float) -> bool:
        """Return True while another request is making a response and may still finish it."""
        return self._holds(_CLAIM, 1, now) and _may_live(*self.entry.data[_CLAIM][2:])  # type: ignore[union-attr]

    def lets_pass(self, now: float) -> bool:
        """Return True if a response recently could not be stored, so requests don't wait for one."""
        return self._holds(_PASSES, 0, now)

    def is_streaming(self, now: float) -> bool:
        """Return True if the response is a stream, whose end no request waits for."""
        return self._holds(_STREAMS, 0, now)

    def _holds(self, name: str, at: int, now: float) -> bool:
        found = None if self.entry is None else self.entry.data.get(name)
        return found is not None and bool(found[at] > now)


@cache
def _machine() -> str:
    """Return a name for the processes that this process sees: a machine, or a container."""
    with suppress(OSError):
        return f"{Path('/proc/sys/kernel/random/boot_id').read_text().strip()} {os.stat('/proc/self/ns/pid').st_ino}"
    return platform.node()


def _may_live(machine: str, pid: int) -> bool:
    """Return False if a process has certainly ended. Processes on other machines may live."""
    if machine != _machine() or os.name == "nt":  # where os.kill ends a process
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return True


class Shelf:
    """The entries of a cache in a store. ``lease`` is how long a claim is valid, in seconds.

    ``name`` returns the name of the application, once all of its routes are known.
    """

    def __init__(self, store: Store, files: BodyFiles, lease: float, name: Callable[[], str]) -> None:
        self._name = name
        self._store = store
        self._files = files
        self._lease = lease
        self.clock = store.clock
        self._recent: OrderedDict[str, Shelved] = OrderedDict()
        self._routes: dict[str, Args] = {}
        """The routes of which a response was stored, with the query's arguments that were read to make them."""
        self._unknown: dict[str, float] = {}
        """The routes of which none was stored, with the time at which the store was asked."""
        self._clocks_apart = 0.0 if isinstance(store, RowStore) else CLOCKS_APART

    @property
    def app(self) -> str:
        """The name of the application, which is part of each key."""
        return self._name()

    def find(self, key: str) -> Shelved:
        """Return the entry of a URL, with one call to the store."""
        recent = self._recent.get(key)
        if recent is None or recent.entry is None:
            return self._remember(Shelved(key, self._store.load(key), self._files))
        entry = self._store.reload(recent.entry)
        return recent if entry is recent.entry else self._remember(Shelved(key, entry, self._files))

    def _remember(self, found: Shelved) -> Shelved:
        """Keep an entry in memory after reading it, if it is small."""
        if found.responses and sum([stored.size for stored in found.responses]) <= SMALL:
            self._recent[found.key] = found
            if len(self._recent) > MOST_RECENT:
                self._recent.popitem(last=False)
        else:
            self._recent.pop(found.key, None)
        return found

    def has_at_hand(self, found: Shelved) -> bool:
        """Return True if this entry is small and was the last one read for its URL."""
        return self._recent.get(found.key) is found

    def unchanged_check(self, entry: StoreEntry) -> tuple[Callable[[Any], object], Any, object]:
        """Return a function that checks, with one call to the store, whether an entry is unchanged since it was
        read."""
        return self._store.unchanged_check(entry)

    def claim(self, found: Shelved) -> str | None:
        """Claim the right to make a response and return the claim, or None if another request was faster."""
        token, now = token_hex(8), self.clock()
        claim = {_CLAIM: [token, now + self._lease, _machine(), os.getpid()]}
        if found.entry is None:
            made = self._store.add(found.key, claim, ttl=self._lease)
        else:
            ttl = max(self._lease, found.entry.expires - now)
            made = self._store.replace(found.key, found.entry.data | claim, version=found.entry.version, ttl=ttl)
        return None if made is None else token

    def note_route(self, route: str, args: Args) -> Args:
        """Record that a response of a route is stored, made from these arguments of the query. Return all of which any
        was made: the names in its key. Processes may differ in them, which costs a call of the handler, and no more.
        """
        if not self.has_stored(route) or not covers(self._routes[route], args):
            entry = self._store.load(_proof(route))
            known = frozenset() if entry is None else _args_in(entry.data)
            joined = None if known is None or args is None else known | args
            made = None if joined is None or len(joined) > _MOST_ARGS else joined
            self._store.change(_proof(route), {"args": made if made is None else sorted(made)}, ttl=_PROOF_KEPT)
            self._routes[route] = made
        return self._routes[route]

    def has_stored(self, route: str) -> bool:
        """Return True if a response of a route was stored before, perhaps by another process."""
        if route not in self._routes and (entry := self._store.load(_proof(route))) is not None:
            self._routes[route] = _args_in(entry.data)
        return route in self._routes

    def args_of(self, route: str) -> Args:
        """Return the arguments of the query that are part of the keys of a route's responses; None for all."""
        if route not in self._routes:
            now = self.clock()
            if 0 <= now - self._unknown.get(route, -inf) < _ASKED_AGAIN or self.has_stored(route):
                return self._routes.get(route)
            if len(self._unknown) >= _MOST_UNKNOWN:
                self._unknown.clear()
            self._unknown[route] = now
        return self._routes.get(route)

    def note_stream(self, key: str) -> None:
        """Record that a response is being sent and written to a file, so that other requests don't wait for its end."""
        self._change(key, None, PASSES_FOR, lambda data: data | {_STREAMS: [self.clock() + PASSES_FOR]})

    def hold_stream(self, key: str, token: str | None) -> "StreamHold":
        """Record a response, as ``note_stream`` does, and return an object that renews the claim."""
        self.note_stream(key)
        return StreamHold(partial(self._renew, key, token), min(self._lease, PASSES_FOR) / 3, self.clock)

    def _renew(self, key: str, token: str | None) -> None:
        now = self.clock()
        held = {_CLAIM: [token, now + self._lease, _machine(), os.getpid()], _STREAMS: [now + PASSES_FOR]}
        self._change(key, token, max(self._lease, PASSES_FOR), lambda data: data | held)

    def end_stream(self, key: str, token: str | None) -> None:
        """End the claim to store a stream, if it is still valid."""
        if token is not None:
            self._change(key, token, PASSES_FOR, lambda data: data)

    def release(self, key: str, token: str | None, gone: StoredResponse | None = None) -> None:
        """End a claim for which nothing was stored and forget a response that no longer exists (``gone``).

        The next requests then don't wait for one another.
        """

        def passing(data: dict[str, Any]) -> dict[str, Any]:
            if gone is not None:
                data.pop(gone.name, None)
                gone.remove_file()
            return data | {_PASSES: [self.clock() + PASSES_FOR]}

        if token is not None or gone is not None:
            self._change(key, token, PASSES_FOR, passing)

    def put(
        self, key: str, stored: StoredResponse, token: str | None, *, ttl: float, path: str, tags: Sequence[str]
    ) -> bool:
        """Store a response. Return False if the response, or the one it was made from, was forgotten in the
        meantime."""
        for tag in tags:
            self._store.change(f"{_owner('tag', tag)}\n{key}", {"key": key}, ttl=ttl, owner=_owner("tag", tag))

        def storing(data: dict[str, Any]) -> dict[str, Any]:
            data.pop(_PASSES, None)
            variants = [name for name in data if name[0] == "v" and name != stored.name]
            for name in variants[: len(variants) + 1 - MOST_VARIANTS]:
                StoredResponse(data.pop(name), self._files).remove_file()
            if (before := data.get(stored.name)) is not None and before.get("file") != stored.data.get("file"):
                StoredResponse(before, self._files).remove_file()
            return data | {stored.name: dict(stored.data)}

        if not self._change(key, token, ttl, storing):
            return False
        self._store.change(key, {}, ttl=ttl, create=False, owner=_owner("path", path))
        marks = [_mark(key), _mark(_owner("path", path)), *(_mark(_owner("tag", tag)) for tag in tags)]
        if any(self._is_forgotten(mark, stored.asked) for mark in marks):
            self._store.delete(key)
            return False
        return True

    def _change(
        self, key: str, token: str | None, ttl: float, change: Callable[[dict[str, Any]], dict[str, Any]]
    ) -> bool:
        """Change a URL's entry and end the claim. Return False if another request now has the claim."""
        for _ in range(_ATTEMPTS):
            entry = self._store.load(key)
            data = {} if entry is None else dict(entry.data)
            if token is not None and data.get(_CLAIM, [None])[0] != token:
                return False
            if token is not None:
                del data[_CLAIM]
            data = change(data)
            if entry is None:
                made = self._store.add(key, data, ttl=ttl)
            else:
                longest = max(ttl, entry.expires - self.clock())
                made = self._store.replace(key, data, version=entry.version, ttl=longest)
            if made is not None:
                return True
        return False

    def _is_forgotten(self, mark: str, asked: float) -> bool:
        found = self._store.load(mark)
        return found is not None and found.changed + self._clocks_apart >= asked

    def forget_path(self, path: str) -> int:
        """Forget all URLs with the given path, whatever their query, and return their number."""
        self._note_forgotten(_owner("path", path))
        if self._files.are_used:
            self._remove_files([entry.data for entry in self._store.owned_by(_owner("path", path))])
        return self._store.delete_owned(_owner("path", path))

    def forget_tag(self, tag: str) -> int:
        """Forget all URLs whose response has a tag and return their number."""
        owner = _owner("tag", tag)
        self._note_forgotten(owner)
        keys = {entry.data["key"] for entry in self._store.owned_by(owner)}
        forgotten = sum([self._delete(key) for key in keys])
        self._store.delete_owned(owner)
        return forgotten

    def _delete(self, key: str) -> bool:
        if self._files.are_used and (entry := self._store.load(key)) is not None:
            self._remove_files([entry.data])
        return self._store.delete(key)

    def _remove_files(self, entries: Iterable[Mapping[str, Any]]) -> None:
        for data in entries:
            for stored in _responses(data, self._files):
                stored.remove_file()

    def _note_forgotten(self, what: str) -> None:
        self._store.change(_mark(what), {"forgotten": True}, ttl=_MARK_KEPT)


class StreamHold:
    """The claim to store a stream, renewed every few seconds while the stream yields chunks."""

    def __init__(self, renew: Callable[[], None], every: float, clock: Callable[[], float]) -> None:
        self._renew = renew
        self._every = every
        self._clock = clock
        self._renewed = clock()

    @property
    def is_due(self) -> bool:
        """Return True if it is time to renew the claim, or if the clock was set back."""
        return not 0 <= self._clock() - self._renewed < self._every

    def renew(self) -> None:
        """Renew the claim, unless another request has taken it or the store is unavailable."""
        self._renewed = self._clock()
        with suppress(StoreUnavailable):
            self._renew()


def _responses(data: Mapping[str, Any], files: BodyFiles) -> list[StoredResponse]:
    return [StoredResponse(data[name], files) for name in data if name[0] == "v"]


def covers(args: Args, others: Args) -> bool:
    """Return True if a key with these arguments differs wherever one with the others does."""
    return args is None or (others is not None and others <= args)


def _args_in(data: Mapping[str, Any]) -> Args:
    found = data.get("args")
    return None if found is None else frozenset(found)


def _owner(kind: str, name: str) -> str:
    return _named(kind, name)


def _proof(route: str) -> str:
    return f"cache route\n{route}"


def _mark(what: str) -> str:
    """Return the key of the mark for a URL or a tag. Several share one mark, so the number of marks is limited.

    If anything is forgotten under a response's mark while the response is being made, the response is not stored but
    made again.
    """
    return f"cache forgotten\n{crc32(what.encode('utf-8', 'surrogatepass')) % _MARKS}"


def forget_changed(shelf: Shelf, request: Request, response: Response) -> None:
    """Forget what a request has changed: its path, and paths on the same origin that its response names (§4.4), with
    all queries, since keys contain only the arguments that were read.
    """
    if request.head.method in SAFE_METHODS or not 200 <= response.status <= 399:
        return
    with suppress(StoreUnavailable):
        for path in {request.head.root_path + request.head.path, *_named_paths(request, response)}:
            shelf.forget_path(path)


def _named_paths(request: Request, response: Response) -> Iterator[str]:
    """Yield the decoded paths of the URLs on this origin that Location and Content-Location contain."""
    here = request.url
    for name in ("location", "content-location"):
        value = response.headers.get(name)
        if value is None:
            continue
        try:
            named = URL(here.join(value))
        except ValueError:
            continue
        if named.origin == here.origin:
            yield unquote(named.target.partition("?")[0])
