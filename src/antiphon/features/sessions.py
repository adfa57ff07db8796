"""Sessions, as a feature of an app: ``request.session``, kept in a store between requests.

app.use(Sessions(SQLiteStore("var/sessions.db")))
"""

import time
from collections.abc import Callable, Generator, Iterator
from copy import copy, deepcopy
from math import ceil
from typing import TYPE_CHECKING, Any

from antiphon.concurrency.loop import is_on_loop
from antiphon.features.stores.store import Store, StoreEntry, StoreUnavailable
from antiphon.http.cache_control import CacheControl
from antiphon.http.cookies import SameSite, SetCookie
from antiphon.request.places import Place
from antiphon.request.request import Request
from antiphon.request.session import Session
from antiphon.response.response import Response

if TYPE_CHECKING:
    from antiphon.app.application import App

DAY = 24 * 3600.0
"""Seconds."""

RENEWED_AFTER = 0.1
"""The part of the idle time after which a session that is only read has its end put off: not each request writes."""

_LOCAL = ("localhost", "127.0.0.1", "[::1]")

_IS_OVER = Place[bool]("is over")
"""True once the head of the response is made, where code may still run after that."""


class Sessions:
    """A feature that fills ``request.session`` from a store.

    A session that nobody reads or writes costs nothing, and leaves no trace in the response. One that is read has
    ``Vary: Cookie`` and ``Cache-Control: private`` in the response; one that was changed is written to the store when
    the response is made, and only then gets a cookie. It ends ``idle`` seconds after its last use, and in any case
    ``lifetime`` seconds after it was begun.

    The cookie is "__Host-session", Secure and HttpOnly, and over http, as on localhost, "session". ``cookie`` is
    another name for both, such as that of an app which you take over. A store that is away is a 503, where a session is
    used. Raises ValueError for times that are not above 0, and for an impossible cookie.
    """

    def __init__(
        self,
        store: Store,
        *,
        idle: float = 14 * DAY,
        lifetime: float = 90 * DAY,
        cookie: str | None = None,
        samesite: SameSite = "Lax",
        clock: Callable[[], float] = time.time,
    ) -> None:
        if not (idle > 0 and lifetime > 0):
            raise ValueError(f"idle and lifetime are seconds above 0, not {idle!r} and {lifetime!r}")
        SetCookie(cookie or "__Host-session", secure=True, samesite=samesite)
        self._store = store
        self._idle = idle
        self._lifetime = lifetime
        self._cookie = cookie
        self._samesite: SameSite = samesite
        self._clock = clock
        self._has_warned = False

    def install(self, app: "App") -> None:
        """Fill the place, and register the middleware that writes what has changed."""
        app.fill(Request.session, self._load, blocking=self._store.blocks, when=self._has_cookie, otherwise=self._begin)
        app.middleware(self._around)

    def _has_cookie(self, request: Request) -> bool:
        return self._name(request) in request.cookies

    def _name(self, request: Request) -> str:
        return self._cookie or ("__Host-session" if request.is_secure else "session")

    def _load(self, request: Request) -> Session:
        """Return the session of the visitor's cookie, or a new one, which never has a key that came from outside."""
        try:
            return self._tracked(request, self._store.load(request.cookies[self._name(request)]))
        except StoreUnavailable as error:  # which concerns only those who use the session
            session = self._tracked(request, None)
            session.failure = error
            return session

    def _begin(self, request: Request) -> Session:
        return self._tracked(request, None)

    def _tracked(self, request: Request, entry: StoreEntry | None) -> "_TrackedSession":
        return _TrackedSession(entry, self._store.check_value, is_over=_IS_OVER in request)

    def _around(self, request: Request) -> Generator[None, Response, Response | None]:
        response = yield
        if Request.session not in request:
            if response.is_streamed or request._deferred:
                request[_IS_OVER] = True
            return None
        session = request.session
        if not isinstance(session, _TrackedSession) or session.is_over:
            return None
        session.is_over = True
        if not session.is_used or session.failure is not None:
            return None
        response = copy(response)  # a handler may return the same one again
        response.vary("Cookie")
        _keep_private(response)
        if self._has_to_write(session):
            if self._store.blocks and is_on_loop():
                request.after_request(self._writing(session))
            else:
                self._tell(request, response, self._write(session))
        return response

    def _has_to_write(self, session: "_TrackedSession") -> bool:
        if session.is_changed:
            return True
        entry = session.entry
        return entry is not None and self._clock() - entry.changed > RENEWED_AFTER * self._idle

    def _writing(self, session: "_TrackedSession") -> Callable[[Request, Response], Any]:
        """Return a hook that writes on a thread, for an event loop."""

        async def write_session(request: Request, response: Response) -> None:
            from asyncio import to_thread

            self._tell(request, response, await to_thread(self._write, session))

        return write_session

    def _write(self, session: "_TrackedSession") -> StoreEntry | None:
        """Write what has changed, and return the entry that the visitor has from now on.

        A session that was deleted meanwhile stays so. A new key comes first: a process that ends in between leaves the
        new data nowhere, and not under the old key.
        """
        store, entry = self._store, session.entry
        updates, removed = session.changes()
        if entry is not None and session.is_ended:
            if store.is_server_side:
                store.delete(entry.key)
            entry = None
        if entry is None:
            if not updates and session.owner is None:
                return None
            ttl = min(self._idle, self._lifetime)
            return store.change(store.new_key(), updates, ttl=ttl, owner=session.owner)
        if session.rotates:
            entry = store.rotate(entry.key, store.new_key())
            if entry is None:
                return None
        ttl = max(min(self._idle, entry.created + self._lifetime - self._clock()), 1.0)
        return store.change(entry.key, updates, ttl=ttl, remove=removed, create=False, owner=session.owner)

    def _tell(self, request: Request, response: Response, entry: StoreEntry | None) -> None:
        """Set the visitor's cookie to the key of an entry, or delete it."""
        name, secure = self._name(request), request.is_secure or (self._cookie or "").startswith("__")
        if entry is not None:
            self._warn_of_http(request)
            age = ceil(entry.expires - self._clock())
            response.set_cookie(name, entry.key, max_age=age, secure=secure, httponly=True, samesite=self._samesite)
        elif name in request.cookies:
            response.delete_cookie(name, secure=secure, httponly=True, samesite=self._samesite)
        _keep_private(response, sets_cookie=True)

    def _warn_of_http(self, request: Request) -> None:
        if self._has_warned or request.is_secure or request.host in _LOCAL:
            return
        import logging

        self._has_warned = True
        logging.getLogger("antiphon").warning(
            "sessions of %s are sent over http, where anyone on the way can take them over: serve https, or name the"
            " proxy that does in App(trusted_proxies=...)", request.host
        )  # fmt: skip


class _TrackedSession(Session):
    """A session that knows what was read and written. ``failure`` is raised by all uses of it."""

    __slots__ = (
        "_check", "_copies", "_data", "_written", "entry", "failure", "is_ended", "is_over", "is_used", "owner",
        "rotates",
    )  # fmt: skip

    def __init__(
        self, entry: StoreEntry | None, check: Callable[[str, object], None], *, is_over: bool = False
    ) -> None:
        self.entry = entry
        self.failure: StoreUnavailable | None = None
        self.owner: str | None = None
        self.rotates = self.is_ended = self.is_used = False
        self.is_over = is_over
        self._check = check
        self._data: dict[str, Any] = entry.data if entry else {}
        self._written: set[str] = set()
        self._copies: dict[str, Any] = {}
        """The lists and dicts that were read, as they were: nobody tells when they change inside."""

    def _read(self) -> dict[str, Any]:
        self.is_used = True
        if self.failure is not None:
            raise self.failure
        return self._data

    def _change(self) -> dict[str, Any]:
        if self.is_over:
            raise RuntimeError(
                "the session was written when the response was made: change it before, and not in a stream, nor in"
                " request.after"
            )
        return self._read()

    def __getitem__(self, name: str) -> Any:
        value = self._read()[name]
        if isinstance(value, list | dict) and name not in self._copies:
            self._copies[name] = deepcopy(value)
        return value

    def __setitem__(self, name: str, value: object) -> None:
        data = self._change()
        self._check(name, value)
        data[name] = value
        self._written.add(name)

    def __delitem__(self, name: str) -> None:
        del self._change()[name]
        self._written.add(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())

    def __contains__(self, name: object) -> bool:
        return name in self._read()

    def __repr__(self) -> str:
        return f"<Session {sorted(self._data)}>"

    @property
    def is_new(self) -> bool:
        self._read()
        return self.entry is None

    def rotate(self, owner: str | None = None) -> None:
        self._change()
        self.rotates = True
        self.owner = self.owner if owner is None else owner

    def clear(self) -> None:
        self._change()
        self._data = {}
        self._written, self._copies = set(), {}
        self.is_ended, self.owner = True, None

    def changes(self) -> tuple[dict[str, Any], list[str]]:
        """Return the names that were set or changed inside, with their values, and those that were removed."""
        data = self._data
        names = self._written | {name for name, before in self._copies.items() if data.get(name) != before}
        return {name: data[name] for name in names if name in data}, [name for name in names if name not in data]

    @property
    def is_changed(self) -> bool:
        """True if the store or the visitor has to be told anything."""
        return any(self.changes()) or self.rotates or (self.is_ended and self.entry is not None)


def _keep_private(response: Response, *, sets_cookie: bool = False) -> None:
    """Keep shared caches from storing a response, unless it says that they may, and has nobody's cookie."""
    control = CacheControl.parse(response.headers.get("cache-control"))
    if control.no_store or control.private is True or (control.public and not sets_cookie):
        return
    response.headers["cache-control"] = str(control.replace(private=True, public=False, s_maxage=None))
