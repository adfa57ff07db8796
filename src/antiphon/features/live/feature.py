"""Live blocks, as a feature of an app: @app.get("/orders", live="orders").

app.use(Live())

A GET of such a route that accepts ``text/event-stream`` gets the block as an event, and again whenever a table that its
handler has read was written, in any process. Each render is a request within the app, with the client's header fields,
so that its login, its tenant and its limits are checked again. All other requests are handled as usual.
"""

import asyncio
import os
import time
from collections.abc import Callable
from contextlib import suppress
from logging import getLogger
from pathlib import Path
from random import SystemRandom
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from antiphon import Request, Response, explained
from antiphon.embedding import (
    ON_LOOP,
    FeatureStore,
    KeyHandling,
    RouteKeys,
    call_after_fork,
    check_numbers,
    describe,
    errors_name_it,
    is_on_loop,
)
from antiphon.features import Store, StoreUnavailable
from antiphon.features.channels.channel import Channel
from antiphon.features.ends import check_share
from antiphon.features.live.renders import Audience, Watcher
from antiphon.features.live.statements import Tables, named, tell_of_writes
from antiphon.features.stores.memory import MemoryStore
from antiphon.http import ServiceUnavailable

if TYPE_CHECKING:
    from antiphon import App
    from antiphon.types import Route

_BATCH = 50
"""The number of tables in one message, which fit into it with the longest names."""
_SHARE, _LEAST = 100, 20
"""The part of all streams that one client may have open, as a divisor, and how many it may have in any case."""
_PAUSE = 1.0
"""The seconds after which a database or a store that doesn't respond is tried again."""
_NOTICES = "antiphon_live"
"""The channel of PostgreSQL's notices, each with the name of a table."""
_OF_THE_STREAM = ("access-control-", "vary")
"""The fields of a render that its stream has, too: middleware has added them, outside of which the stream is."""
_KINDS = ("text/html", "text/event-stream")


class _Teller:
    """Tells all processes of the tables that this one has written: one thread, while there is something to tell."""

    def __init__(self) -> None:
        self.channel: Channel | None = None
        self._tables = set[str]()
        self._begin_in_child()
        call_after_fork(self._begin_in_child)

    def _begin_in_child(self) -> None:
        self._lock = Lock()
        self._thread: Thread | None = None

    def __call__(self, tables: Tables) -> None:
        with self._lock:
            self._tables |= tables
            if self._thread is None and self.channel is not None:
                thread = Thread(target=self._send, args=(self.channel,), name="antiphon-live", daemon=True)
                with suppress(RuntimeError):  # there is no room for a thread: the next write begins one
                    thread.start()
                    self._thread = thread

    def finish(self) -> None:
        """Wait until everything has been told, but not for a store that doesn't respond."""
        if (thread := self._thread) is not None:
            thread.join(_PAUSE)

    def _send(self, channel: Channel) -> None:
        while (tables := self._take()) is not None:
            try:
                for start in range(0, len(tables), _BATCH):
                    channel.send(tables[start : start + _BATCH])
            except StoreUnavailable:  # which is already logged
                with self._lock:
                    self._tables |= {*tables}
                time.sleep(_PAUSE)
            except Exception:  # so that the next ones are told
                getLogger("antiphon").exception("changes of tables can't be told: %s", ", ".join(tables))

    def _take(self) -> list[str] | None:
        with self._lock:
            tables, self._tables = sorted(self._tables), set()
            if not tables:
                self._thread = None
            return tables or None


def _for_get(route: "Route", handler: Callable[[Request], Any]) -> Callable[[Request], Any]:
    """Return a route's handler. Raises ValueError for a route that isn't for GET."""
    if "GET" not in route.methods:
        message = f"{describe(route.handler)} is live, so it must be a route for GET: {route.pattern!r}"
        raise explained("bad-route-option", message)
    return handler


@errors_name_it
class Live:
    """A feature that keeps blocks of pages up to date: those of GET routes with ``live="orders"``, a block's name.
    Provisional.

        app.use(Live())

    A block is rendered again when a table that its handler has read was written and committed in any process that uses
    the same ``store``, by default the app's; without one, only this process is noticed. SQLAlchemy reports reads and
    writes, and ``live_reads`` and ``live_writes`` report others. A render is shared by all clients for whom it is the
    same, and there are at least 50 milliseconds between two of them. Within a process, up to ``max_watchers`` streams
    can be open; one more gets a 503.
    """

    _block_script_part = Path(__file__).with_name("live.js")
    """The part of ``BlockScript``'s script that follows streams."""

    def __init__(self, store: Store | None = None, *, listen: str | None = None, max_watchers: int = 10_000) -> None:
        """Of the streams of a process, a hundredth, but at least 20, can be those of one user, or of one address
        without a verified login; one more gets a 429.

        ``listen`` is the URL of a PostgreSQL database whose triggers tell which tables were written, also by other
        programs: notices on the channel ``antiphon_live``, with a table's name. It must lead to the server itself, not
        to a pooler. Raises ValueError for a ``max_watchers`` below 1.
        """
        check_numbers(max_watchers=max_watchers)
        self._stores = FeatureStore("Live", store)
        self._url = None if listen is None else listen.replace("+psycopg", "", 1)
        self._postgres_connections = {} if listen is None else {"Live": 1}
        self._most = max_watchers
        self._told = set[str]()
        self._teller = _Teller()
        self._audiences: WeakKeyDictionary[asyncio.AbstractEventLoop, Audience] = WeakKeyDictionary()
        self._lock = Lock()
        self._follower: int | None = None
        """The process in which a thread follows the notices."""

    def install(self, app: "App") -> None:
        """Use the app's store, and handle its routes with ``live``. Raises ValueError for an app's second Live."""
        store = self._stores.own or self._stores.taken_if_any(app)
        if store is None:
            FeatureStore.note_memory(app, "Live")
            store = MemoryStore()
        self._channel = self._teller.channel = Channel("antiphon live", store)
        app.handle_key(RouteKeys.live, KeyHandling(around=_for_get, instead=(self._is_watcher, self._respond)))
        app.on_shutdown(self._teller.finish)
        tell_of_writes(self._teller)

    def _is_watcher(self, request: Request) -> bool:
        return request.accept.best(_KINDS) == _KINDS[1]

    async def _respond(self, request: Request) -> Response:
        """Return the stream of a block, or the response that refuses it."""
        if not is_on_loop():  # in a mounted app of ``def`` handlers
            await ON_LOOP
        audience = self._audience()
        if sum(map(len, [*self._audiences.values()])) >= self._most:
            raise ServiceUnavailable("Too many clients are listening. Try again soon.", retry_after=5)
        watcher = Watcher(audience, request, request.route.meta.get(RouteKeys.live) or "")
        try:
            first = await watcher.begin()
            if self._url is not None:
                self._begin_to_follow(self._url)
            if first.error is not None:
                raise first.error
            self._check_share(watcher.client)
        except BaseException:
            await watcher.aclose()
            raise
        if first.is_shown:
            headers = [field for field in first.response.headers.items() if field[0].startswith(_OF_THE_STREAM)]
            retry = SystemRandom().uniform(1, 3)  # after a deploy, not all at once
            return Response.events(watcher, headers=headers, retry=retry)
        await watcher.aclose()
        return Response(first.response.body, first.response.status, [*first.response.headers.items()])

    def _check_share(self, client: str) -> None:
        """Raise TooManyRequests (429) if a client watches too many blocks: each may cost a render of each change."""
        count = sum(each.of_client[client] for each in [*self._audiences.values()]) if client else 0
        check_share(self._told, "live", max(_LEAST, self._most // _SHARE), client, count)

    def _audience(self) -> Audience:
        loop = asyncio.get_running_loop()
        with self._lock:
            audience = self._audiences.get(loop)
            if audience is None:
                audience = self._audiences[loop] = Audience(self._channel)
            return audience

    # Notices of PostgreSQL

    def _begin_to_follow(self, url: str) -> None:
        with self._lock:
            if self._follower == os.getpid():
                return
            self._follower = os.getpid()
        Thread(target=self._follow, args=(url,), name="antiphon-notices", daemon=True).start()

    def _follow(self, url: str) -> None:
        """Follow the notices of a database, as long as there are watchers."""
        import psycopg

        is_told = False
        while self._is_watched():
            try:
                name = "antiphon live"
                with psycopg.connect(
                    url, autocommit=True, connect_timeout=5, fallback_application_name=name
                ) as connection:
                    connection.execute(f"listen {_NOTICES}".encode())
                    self._add(None)  # those before are unknown
                    is_told = False
                    while self._is_watched():
                        if heard := {named(each.payload) for each in connection.notifies(timeout=1, stop_after=1)}:
                            self._add(heard)
            except psycopg.Error as error:
                if not is_told:
                    getLogger("antiphon").warning("notices of PostgreSQL can't be read: %s", error)
                is_told = True
                time.sleep(_PAUSE)

    def _is_watched(self) -> bool:
        with self._lock:
            is_watched = any(map(len, self._audiences.values()))
            if not is_watched:
                self._follower = None
            return is_watched

    def _add(self, tables: set[str] | None) -> None:
        for loop, audience in [*self._audiences.items()]:
            with suppress(RuntimeError):  # it is closed
                loop.call_soon_threadsafe(audience.add, tables)
