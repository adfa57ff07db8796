"""A shared cache of an app's responses, as a feature.

app.use(Cache(SQLiteStore("var/cache.db"))), then response.cache_for(60, public=True) in a handler
"""

from collections.abc import Callable, Generator, Iterable
from contextlib import nullcontext, suppress
from copy import copy
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from antiphon import App, HTTPError, Request, Response, current_request, explained
from antiphon.embedding import (
    Added,
    DatabaseConnection,
    FeatureStore,
    RequestState,
    WatchedHead,
    check_numbers,
    errors_name_it,
    innermost,
    refuse_on_loop,
    seconds_of,
    unwatched,
)
from antiphon.features import MemoryStore, Store
from antiphon.features.cache.files import BodyFiles
from antiphon.features.cache.filling import AwaitedResponse, Fill, FillHead
from antiphon.features.cache.intake import Intake
from antiphon.features.cache.lookup import NOT_STORED, READING, AtHand, Collapsing, Lookup, Refreshes, send_on
from antiphon.features.cache.shelf import Shelf, forget_changed
from antiphon.http import PreconditionFailed, RangeNotSatisfiable
from antiphon.types import Duration, Route

if TYPE_CHECKING:
    from antiphon.features import Metrics

_WATCHED = nullcontext()
"""The context of a handler whose reads count."""


@errors_name_it
class Cache:
    """A feature that stores responses and serves them without calling the handler (RFC 9111).

        app.use(Cache(SQLiteStore("var/cache.db")))

    A response's header fields decide whether and for how long it is stored: Cache-Control, Expires, CDN-Cache-Control
    (RFC 9213) and Vary. ``response.cache_for(60, public=True)`` sets them. The cache also tracks what the app reads
    from the request to make the response. A response that depends on the session, the user, all cookies, the client's
    address or all header fields is never sent to other clients. Header fields that were read are added to its Vary. If
    arguments of the query, or cookies of a public response, were read by their names, only their values matter. A
    response with Set-Cookie is not stored.
    """

    def __init__(
        self, store: Store | None = None, *, max_bytes: int = 256 << 20, max_body: int = 4 << 20,
        max_file_bytes: int = 1 << 30, lease: Duration = 30.0, timeout: Duration = 10.0, gateway: bool = False,
    ) -> None:  # fmt: skip
        """Hooks that run before the handler, and middleware of blueprints, are also called for hits.

        If many requests ask for a response that is not stored, one of them calls the handler. The others wait up to
        ``timeout`` for the response, and then call the handler too. They don't wait for a route that has not stored any
        response yet, nor for a process that was killed on the same machine. If a request never ends, for example
        because its machine fails, others stop waiting for it after ``lease``. Both are seconds or timedeltas.

        ``store`` is shared by all processes and machines that use it. Apps with different routes or handlers can share
        it, too, even on one host. The default is the app's store or, without one, this process's memory. In memory,
        SQLite and PostgreSQL, the cache keeps up to ``max_bytes`` bytes, separate from other entries, and drops the
        least recently used responses. Valkey has its own setting for that.

        A QUERY can also be served from the cache if the same content, of at most 64 KiB, was sent before. White space
        in JSON makes no difference.

        Bodies of more than ``max_body`` bytes, and streams, are stored in files, which take up to ``max_file_bytes``
        bytes in total; a single file can take up to a quarter of that. The files are next to the SQLite database, or in
        a temporary folder for a store in memory. Servers have no files, so such bodies are not stored there. File
        responses are never stored.

        Use ``gateway=True`` for an app that forwards requests to another server. The cache then considers only the
        response, whose Vary must list everything that it depends on. Raises ValueError for numbers that are not above
        0, and for a store whose entries are kept by clients.
        """
        self._stores = FeatureStore("Cache", store)
        lease, timeout = seconds_of(lease), seconds_of(timeout)
        files = max_file_bytes or None  # 0: none
        check_numbers(max_bytes=max_bytes, max_body=max_body, lease=lease, timeout=timeout, max_file_bytes=files)
        self._is_gateway = gateway
        self._max_bytes, self._max_body, self._max_file_bytes = max_bytes, max_body, max_file_bytes
        self._lease, self._timeout = lease, timeout
        self._app_name: str | None = None
        self._keep_in(MemoryStore() if store is None else store)

    def _keep_in(self, store: Store) -> None:
        """Use this store for the responses."""
        self._blocks = store.blocks
        self._files = BodyFiles(store, self._max_file_bytes)
        files = self._files if store.keeps_files and self._max_file_bytes else None
        self._shelf = Shelf(store.bounded(self._max_bytes), self._files, self._lease, self._name)
        self._collapsing = Collapsing(self._shelf, self._timeout)
        self._refreshes = Refreshes(self._shelf)
        self._at_hand = AtHand(self._shelf)
        self._lookup = Lookup(self._shelf, self._at_hand, self._collapsing, self._refreshes)
        self._intake = Intake(self._shelf, files, self._max_body, self._is_gateway)

    def install(self, app: App) -> None:
        """Wrap the cache around everything that is registered after it."""
        if self._collapsing.app not in (None, app):
            raise explained("feature-used-twice", "this Cache is used by another app: make one for each")
        if self._stores.own is None and (store := self._stores.taken_if_any(app)) is not None:
            self._keep_in(store)
        self._collapsing.app = self._refreshes.app = app
        with suppress(OSError):
            self._files.folder()  # removes the leftovers of killed processes
        watch = None if self._is_gateway else self._watch
        hooked, early = (self._around_hooks, self._inside_hooks), self._at_hand.respond
        app.surround(self._around, early, hooked, watch, blocking=self._blocks)

    def __adds__(self, route: Route, method: str) -> Iterable[Added]:
        """Return what it adds to reads that let it store their responses: a stored one has conditions and ranges."""
        for needed in ("cache-control", "etag", "last-modified") if method in READING else ():
            yield Added(headers=("age", "cache-status"), needs=needed)
            for status in (206, 304):
                yield Added(status, needs=needed)
            for error in (PreconditionFailed, RangeNotSatisfiable):
                yield Added(error.status, error, needs=needed)
        if method in READING:
            yield Added(504, HTTPError.by_status[504], NOT_STORED)

    def __metrics__(self, metrics: "Metrics") -> None:
        metrics.counts_cache_status = True

    def _name(self) -> str:
        """Return a name for the application, the same in each process: a hash of its routes and their handlers."""
        if self._app_name is None:
            app: Any = self._collapsing.app
            parts = [(route.where, *sorted(route.methods), _name_of(route.handler)) for route in app.routes]
            parts += [(mount.where, _name_of(mount.application)) for mount in app.mounts]
            self._app_name = sha256(repr(sorted(parts)).encode()).hexdigest()[:16]
        return self._app_name

    # Forgetting

    def purge(self, path: str | None = None, *, tag: str | None = None) -> int:
        """Remove the responses for a path, whatever the query, or those with a tag (Cache-Tag). Return the number of
        URLs that had any.

        ``path`` is the decoded path, including the prefix at which the app is mounted. A response that is being made at
        the same time is not stored. While a database connection of the request is open, they are removed once more
        after its commit, because a response may be stored that doesn't show the change yet. Raises StoreUnavailable
        (503), ValueError unless exactly one of ``path`` and ``tag`` is given, and RuntimeError on an event loop that
        the store would block: use ``await apurge(...)`` there.
        """
        if self._blocks:
            refuse_on_loop("purge()", "apurge()")
        remove = self._purging(path, tag)
        _repeat_after_commit(remove)
        return remove()

    async def apurge(self, path: str | None = None, *, tag: str | None = None) -> int:
        """``purge``, on an event loop."""
        if not self._blocks:
            return self.purge(path, tag=tag)
        from asyncio import to_thread

        remove = self._purging(path, tag)
        _repeat_after_commit(remove)
        return await to_thread(remove)

    def _purging(self, path: str | None, tag: str | None) -> Callable[[], int]:
        if (path is None) == (tag is None):
            raise explained("bad-feature-option", 'purge needs either a path or a tag: purge("/prices")')
        return partial(self._shelf.forget_tag, tag) if tag is not None else partial(self._shelf.forget_path, path or "")

    # Around a request

    def _watch(self, request: Request) -> Generator[None, Response]:
        """Record what middleware around the cache reads, since the response may depend on it."""
        if not isinstance(WatchedHead.of(request.head), FillHead):
            FillHead(request.head).put_on(request)
        yield

    def _around(self, request: Request) -> Generator[AwaitedResponse | None, Response, Any]:
        watch = WatchedHead.of(request.head)
        fill = watch.fill if isinstance(watch, FillHead) else None
        if fill is None:
            found = self._look(request)
            if not isinstance(found, Fill):
                return found
            fill = found
        with (
            unwatched(request, in_all_threads=True) if self._is_gateway else _WATCHED
        ):  # a gateway's response says what it depends on
            response = yield fill.other
        return self._take(request, response, fill) if fill.other is None else None

    def _look(self, request: Request) -> Any:
        """Return the response to a request, an object that produces it, or the fill with which to call the handler."""
        with WatchedHead.paused(request):
            found = self._lookup.find(request)
        if isinstance(found, Fill) and found.other is None:
            send_on(request, found)
        return found

    def _take(self, request: Request, response: Response, fill: Fill) -> Any:
        with WatchedHead.paused(request):
            try:
                return self._intake.take(request, response, fill)
            except FileNotFoundError:  # removed while the handler confirmed it
                fill.forget_kept()
                return self._collapsing.ask_again(request, fill)
            except BaseException:
                self._intake.release(fill)
                raise

    # Around hooks, which are also called for hits

    def _around_hooks(self, request: Request) -> Generator[None, Response, Any]:
        watch = WatchedHead.of(request.head)
        if not isinstance(watch, FillHead):
            watch = FillHead(request.head)
            watch.put_on(request)
        response = yield
        if watch.hit is not None and response.error is None:
            return watch.hit  # middleware inside the cache changed it before it was stored
        if watch.fill is not None:
            return self._take(request, response, watch.fill)
        forget_changed(self._shelf, request, response)  # a hook has responded
        return None

    def _inside_hooks(self, request: Request) -> Generator[Any, Response, None]:
        watch: Any = WatchedHead.of(request.head)
        found: Any = watch.fill
        if found is None:
            found = self._at_hand.respond(request)
        if found is None:
            found = self._look(request)
        is_fill = isinstance(found, Fill)
        with unwatched(request, in_all_threads=True) if self._is_gateway else _WATCHED:
            response = yield found.other if is_fill else found
        if not is_fill or found.other is not None:
            watch.hit = copy(response)


def _name_of(handler: Any) -> str:
    """Return the name of a function, class or application: its module and its own name."""
    inner = innermost(handler)
    named = inner if hasattr(inner, "__qualname__") else type(inner)
    return f"{named.__module__} {named.__qualname__} {getattr(inner, 'import_name', '')}"


def _repeat_after_commit(function: Callable[[], object]) -> None:
    """Call a function after the transaction, too, if the current request has a database connection open."""
    request = current_request(None)
    last = [] if request is None else RequestState(request).transactions()[:1]
    if last and DatabaseConnection.of(last[0].value) is not None:
        last[0].after_commit(function, must_commit=False)
