"""Sessions, as a feature of an app: ``request.session``, kept in a store between requests.

app.use(Sessions(SQLiteStore("var/sessions.db")))
"""

from collections.abc import Callable, Generator, Iterable, Iterator
from copy import copy
from functools import partial
from math import ceil
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from antiphon import Dependency, Request, Response, Session, explained, is_debug
from antiphon.embedding import (
    Added,
    FeatureStore,
    Reads,
    SharedFields,
    check_numbers,
    errors_name_it,
    is_for_any_thread,
    is_on_loop,
    is_this_machine,
    keep_private,
    mounted_together,
    seconds_of,
    unwatched,
)
from antiphon.features import OwnedEntry, Store, StoreEntry, StoreUnavailable
from antiphon.features.bound_sessions import BINDING, UNBOUND, Binding, offer
from antiphon.features.ending import look_again
from antiphon.features.tracked_session import HIDDEN, KEPT, NAME, TrackedSession, end_of, makers_in
from antiphon.http import CacheControl, SetCookie
from antiphon.types import Duration, Identity, Mount, Route

if TYPE_CHECKING:
    from antiphon import App

DAY = 24 * 3600.0
"""The number of seconds in a day."""

RENEWED_AFTER = 0.1
"""The fraction of the idle time after which reading a session extends it, which saves a write on most requests."""

_PREFIX = "session"
"""The prefix of sessions' keys in a store on the server, so that a cookie can't name other entries. A custom cookie
name follows the prefix, so that a session of one cookie is not valid for another.
"""
FeatureStore.declare(_PREFIX, until="major", unreadable="absent")

_IS_OVER = Dependency[bool]("is over")
"""True once the response's head has been made, since code may still run after that."""


class SessionAccess(NamedTuple):
    """The functions that load a request's session and write its changes, for code without a route.

    Both call the store. ``save`` sets or deletes the cookie in the response passed to it.
    """

    load: Callable[[Request], Session]
    save: Callable[[Request, Response], None]


SESSIONS = Dependency[SessionAccess]("sessions", fix="app.use(Sessions(store))")
"""The sessions of an application, for tests that have no request."""


@errors_name_it
class Sessions:
    """A feature that provides ``request.session`` from a store, by default the app's store.

        app.use(Sessions())

    A session that is neither read nor written costs nothing and does not affect the response. If it is read, the
    response has ``Vary: Cookie`` and ``Cache-Control: private``; in debug mode, it is an error if such a response
    allows shared caches to store it. If the session is changed, it is written to the store when the response is made,
    and only then is a cookie set. It ends after ``idle`` without use, and in any case ``lifetime`` after the last
    login, or after its begin without one, both in seconds or a timedelta.
    """

    def __init__(
        self,
        store: Store | None = None,
        *,
        idle: Duration = 14 * DAY,
        lifetime: Duration = 90 * DAY,
        cookie: str | None = None,
        samesite: Literal["Lax", "Strict", "None"] = "Lax",
        persistent: bool = True,
        bound: Duration | None = None,
    ) -> None:
        """The cookie is named "__Host-session", and is Secure and HttpOnly; over http, as on localhost, "host-session".
        ``cookie`` sets a different name for both cases, such as the one used by an app that you are replacing. Browsers
        forget it when they are closed, unless it is ``persistent``. If the store is unavailable, requests that use the
        session get a 503.

        With ``bound``, each login binds the session to the device, if the browser can do that (Device Bound Session
        Credentials, https://w3c.github.io/webappsec-dbsc): from ``bound`` seconds later, a stolen cookie is worthless.
        This needs the extra "oauth" and a store on the server. Raises ValueError for times that are not above 0, for an
        invalid cookie name, and for ``bound`` with a store whose entries are kept by clients, and TypeError for
        anything but a store.
        """
        idle, lifetime = seconds_of(idle), seconds_of(lifetime)
        check_numbers(idle=idle, lifetime=lifetime)
        SetCookie(cookie or "__Host-session", secure=True, httponly=True, samesite=samesite)
        self._stores = FeatureStore("Sessions", store, client_side=True)
        self._store: Store
        self._prefix = ""
        self._owner_name: Callable[[str], str] = FeatureStore.name_of
        self._idle = idle
        self._lifetime = lifetime
        self._cookie = cookie
        self._samesite = samesite
        self._is_persistent = persistent
        self._binding = UNBOUND if bound is None else Binding(seconds_of(bound), samesite)
        self._has_warned = False
        if store is not None:
            self._keep_in(store)

    def _keep_in(self, store: Store) -> None:
        cookie = self._cookie
        self._binding.keep_in(store)
        self._store = store
        if store.is_server_side:
            self._prefix = f"{_PREFIX} {cookie}\n" if cookie else f"{_PREFIX}\n"
            self._owner_name = partial(FeatureStore.name_of, cookie) if cookie else FeatureStore.name_of

    def install(self, app: "App") -> None:
        """Provide ``request.session`` and register the middleware that writes changes.

        Raises RuntimeError if there is no store. At startup, raises ValueError if an application that is mounted
        together with this one has sessions in another store, with the same cookie.
        """
        self._keep_in(self._stores.taken_from(app))
        Reads.cookies_of_callers.update([self._cookie] if self._cookie else ["__Host-session", "host-session"])
        app.on_startup(partial(self._check_alone, app))
        if self._store.blocks:
            app.provide(Request.session, self._load, blocking=True, when=self._has_cookie, default=self._begin)
        else:
            app.provide(Request.session, self._load)
        app.provide(SESSIONS, lambda request: self.access)  # noqa: ARG005
        self._binding.install(app, self._bind)
        app.provided.identifiers.append(self._identify)
        app.middleware(when_read=Request.session)(self._around)

    def __adds__(self, route: Route, method: str) -> Iterable[Added]:
        yield Added(headers=("cache-control", "set-cookie", "vary"), cookies=(self.secure_cookie,))
        if self._store.blocks:
            yield Added(503, StoreUnavailable)

    def _check_alone(self, app: "App") -> None:
        """Check that no other application writes the same cookie for a key in another store."""
        for other in mounted_together(app):
            theirs = other.find_feature(Sessions)
            if theirs is None or theirs.secure_cookie != self.secure_cookie:
                continue
            if self.are_shared(theirs):
                self._check_bound_alike(theirs)
                continue
            if not any(mount.host for each in (app, other) for _, mount in Mount.all_above(each)):
                raise explained(
                    "feature-used-twice",
                    f"the Sessions of {_place(app)} and of {_place(other)} have one cookie,"
                    f" {self.secure_cookie!r}, but two stores, so each visit to one would end the session of"
                    " the other: give both the same store, or one of them a separate cookie, Sessions(store,"
                    ' cookie="__Host-admin")',
                )

    def _check_bound_alike(self, other: "Sessions") -> None:
        own, theirs = (each._binding.fresh or None for each in (self, other))  # noqa: SLF001 - of this very class
        if own != theirs:
            raise explained(
                "bad-feature-option",
                f"two Sessions share their sessions, one with bound={own!r} and one with bound={theirs!r}, so what"
                " one refuses, the other accepts: give both the same",
            )

    @property
    def access(self) -> SessionAccess:
        """The functions that load and save a session, for code without a route, such as a dialect."""
        return SessionAccess(self._load, self._save)

    def _has_cookie(self, request: Request) -> bool:
        with unwatched(request):  # a response does not depend on a session that is never used
            return self._name(request) in request.cookies

    @property
    def secure_cookie(self) -> str:
        """The name of the cookie on a site that is served over https."""
        return self._cookie or "__Host-session"

    def are_shared(self, other: "Sessions") -> bool:
        """Return True if a client's session here is also valid in the other ``Sessions``."""
        return self._prefix == other._prefix and self._store.shares_entries(other._store)  # noqa: SLF001 - of this very class

    def owned_by(self, owner: str) -> list[OwnedEntry]:
        """Return an owner's sessions, oldest first; the owner is usually a user's id. This calls the store.

        Sessions with other cookies are not included, even if they are in the same store, because they belong to
        different users.
        """
        found = self._stores.current.owned_by(self._owner_name(owner))
        return [each._replace(data={name: each.data[name] for name in each.data.keys() - HIDDEN}) for each in found]

    def delete_owned(self, owner: str, *, only: str | None = None) -> int:
        """End all of an owner's sessions, or only the one whose ``id`` is ``only``, and return how many ended. This
        calls the store.
        """
        ended = self._stores.current.delete_owned(self._owner_name(owner), only=only)
        look_again(self, owner if ended else None)
        return ended

    @property
    def place(self) -> tuple[Store, str] | None:
        """The store and the cookie; None for a store that can't end the sessions of other clients."""
        return (self._store, self.secure_cookie) if self._store.is_server_side else None

    def _name(self, request: Request) -> str:
        return self._cookie or ("__Host-session" if request.is_secure else "host-session")

    def _load(self, request: Request) -> Session:
        """Return the session that the visitor's cookie names, or a new one. A new session's key never comes from the
        client.
        """
        with unwatched(request):
            key = request.cookies.get(self._name(request))
        if key is None:
            return self._begin(request)
        try:
            entry = self._store.load(self._prefix + key)
            if entry is not None and self._store.is_server_side:
                entry = entry if all(map(self._store.load, makers_in(entry.data).values())) else None
            session = self._tracked(request, entry)
        except StoreUnavailable as error:  # only matters if the session is used
            session = self._tracked(request, None)
            session.failure = copy(error)  # without its frames, which refer to this
        if self._binding.look_at(session, request, self._name(request)):
            return session
        session = self._tracked(request, None)
        session.is_stale = True
        return session

    def _bind(self, request: Request) -> Response:
        """Register the key of a browser for its session, or renew the browser's proof that it has the key."""
        name = self._name(request)
        key = request.cookies.get(name)
        current = None if key is None else self._store.load(self._prefix + key)
        return request[BINDING].respond(request, self._store, name, current, self._lifetime)

    def _identify(self, request: Request) -> Iterator[Identity]:
        """Yield the session by the time at which it began, which stays the same when a login changes its key."""
        session, name = request.session, self._name(request)
        if isinstance(session, TrackedSession) and (begun := session.begun) is not None:
            names = tuple(f"cookie {each}" for each in self._binding.names(name))
            yield Identity("session", f"{self._prefix}{begun!r}", names)

    def _begin(self, request: Request) -> Session:
        return self._tracked(request, None)

    def _tracked(self, request: Request, entry: StoreEntry | None) -> TrackedSession:
        return TrackedSession(
            entry,
            self._store,
            request,
            when_late=_read_late,
            owner_name=self._owner_name,
            is_over=_IS_OVER in request,
            binds=self._binding is not UNBOUND,
        )

    def _around(self, request: Request) -> Generator[None, Response, Response | None]:
        response = yield
        if Request.session not in request:
            request[_IS_OVER] = True
            return _unread(request, response)
        session = request.session
        if not isinstance(session, TrackedSession) or session.is_over:
            return None
        session.is_over = True
        if not session.is_used or session.failure is not None:
            return _unread(request, response)
        response = response.__copy__()  # a handler may return the same object again
        _keep_private(request, response)
        if session.is_stale:
            self._binding.drop(request, response, self._name(request))
        if self._has_to_write(session):
            if (self._store.blocks or session.ends_others) and is_on_loop():
                request.on_response(self._writing(session))
            else:
                self._tell(request, response, session, self._write(session, self._told(request, response)))
        return response

    def _save(self, request: Request, response: Response) -> None:
        session = request.session
        if isinstance(session, TrackedSession) and not session.is_over:
            session.is_over = True
            if self._has_to_write(session):
                self._tell(request, response, session, self._write(session, None))

    def _has_to_write(self, session: TrackedSession) -> bool:
        if session.is_changed:
            return True
        entry = session.entry
        return entry is not None and self._store.clock() - entry.changed > RENEWED_AFTER * self._idle

    def _writing(self, session: TrackedSession) -> Callable[[Request, Response], Any]:
        """Return a hook that writes on a thread, for an event loop."""

        async def write_session(request: Request, response: Response) -> None:
            from asyncio import to_thread

            told = self._told(request, response)
            self._tell(request, response, session, await to_thread(self._write, session, told))

        return write_session

    def _told(self, request: Request, response: Response) -> str | None:
        """Return the cookie that a mounted application has set, or "" if it deleted the cookie."""
        start = f"{self._name(request)}="
        lines = [line for name, line in response._fields if name == "set-cookie" and line.startswith(start)]
        return SetCookie.parse(lines[-1]).value if lines else None

    def _write(self, session: TrackedSession, told: str | None) -> StoreEntry | None:
        """Write the changes and return the visitor's new entry.

        If a mounted application with the same cookie has set it in this response, that entry is used.
        """
        store, owner = self._store, session.current_owner
        if told is not None:
            session.entry = store.load(self._prefix + told) if told else None
        entry = session.entry
        if session.ends_all_of is not None:
            store.delete_owned(session.ends_all_of)
        if entry is not None and session.is_ended:
            if store.is_server_side:
                for name in (entry.key, *makers_in(entry.data).values()):
                    store.delete(name)
                look_again(self, session.ended_user)
            entry = None
        entry = self._write_new(session) if entry is None else self._write_known(session, entry)
        login = session.new_owner if store.is_server_side else None
        for who, name in session.begun_by.items() if login is not None else ():
            store.change(name, {"as": session[NAME]}, ttl=self._lifetime, owner=self._owner_name(who))
        if entry is not None and login is not None and login.is_too_late():
            store.delete(entry.key)
            return None
        if session.ends_others and owner is not None:
            end = partial(store.delete_owned, owner, keep=entry.key if entry else None)
            if login is None:
                end()
                look_again(self, session.peek(NAME))
            else:
                login.end_others(end)
        if entry is not None and (ttl := self._seconds_left(entry)) > 0:
            self._binding.prepare(session, entry, store, ttl=ttl)
        return entry

    def _seconds_left(self, entry: StoreEntry) -> float:
        """Return how long a session may still last in any case."""
        return end_of(entry, self._lifetime) - self._store.clock()

    def _new_key(self, known: str = "") -> str:
        """Return a new key, which begins as the known one, by which the session stays one caller's."""
        new = self._store.new_key()  # empty, if clients keep the entries
        kept = known.removeprefix(self._prefix)[: min(KEPT, len(new))]
        return self._prefix + kept + new[len(kept) :]

    def _write_new(self, session: TrackedSession) -> StoreEntry | None:
        """Create an entry for a session that has none, if it contains any data."""
        updates, _ = session.changes()
        if not updates and session.owner is None:
            return None
        store, ttl = self._store, min(self._idle, self._lifetime)
        return store.change(self._new_key(), updates, ttl=ttl, owner=session.owner)

    def _write_known(self, session: TrackedSession, entry: StoreEntry) -> StoreEntry | None:
        """Change an entry and return it. An entry that was deleted in the meantime stays deleted, one whose lifetime
        is over is deleted, and a login then starts a new one.

        The key is replaced first: if the process ends in between, the new data is lost rather than stored under the old
        key.
        """
        store = self._store
        updates, removed = session.changes()
        known: StoreEntry | None = entry
        if (left := self._seconds_left(entry)) <= 0:
            if store.is_server_side:
                store.delete(entry.key)
            known = None
        elif session.rotates:
            known = store.rotate(entry.key, self._new_key(entry.key))
        if known is None:
            return self._write_new(session) if session.owner is not None else None
        ttl = min(self._idle, left)
        while store.is_server_side and session.owner is None and (merged := session.merged(known.data)) is not None:
            if (written := store.replace(known.key, merged, version=known.version, ttl=ttl)) is not None:
                return written
            if (known := store.load(known.key)) is None:
                return None
        return store.change(known.key, updates, ttl=ttl, remove=removed, create=False, owner=session.owner)

    def _tell(self, request: Request, response: Response, session: TrackedSession, entry: StoreEntry | None) -> None:
        """Set the visitor's cookie to the key of an entry, or delete it.

        The cookie is left alone if another request has ended the session, since the browser may have a newer cookie by
        now.
        """
        is_secure = request.is_secure
        name, secure = self._name(request), is_secure or (self._cookie or "").startswith("__")
        if entry is not None:
            if not (is_secure or self._has_warned):
                self._warn_of_http(request)
            age = ceil(entry.expires - self._store.clock()) if self._is_persistent else None
            key = entry.key.removeprefix(self._prefix)
            response.set_cookie(name, key, max_age=age, secure=secure, httponly=True, samesite=self._samesite)
            if session.challenge is not None:
                offer(request, response, session.challenge)
        elif session.is_ended and name in request.cookies:
            response.delete_cookie(name, secure=secure, httponly=True, samesite=self._samesite)
            self._binding.drop(request, response, name)

    def _warn_of_http(self, request: Request) -> None:
        if is_this_machine(request.host):
            return
        import logging

        self._has_warned = True
        logging.getLogger("antiphon").warning(
            "sessions of %s are sent over http, where anyone on the network can take them over: serve https, or name"
            " the proxy that does in App(trusted_proxies=...)", request.host
        )  # fmt: skip


def _unread(request: Request, response: Response) -> Response | None:
    """Return a stream that tells caches nothing as a private one, since it may still read the session."""
    body, fields = response.body, response.headers
    is_data = isinstance(body, bytes) or is_for_any_thread(body)
    return None if is_data or "cache-control" in fields or "expires" in fields else _kept_private(request, response)


def _read_late(request: Request) -> None:
    """Keep the response private to a session that middleware has read after this feature's own; no effect later."""
    request.on_response(_kept_private)


def _kept_private(request: Request, response: Response) -> Response:
    _keep_private(request, response := response.__copy__())
    return response


def _keep_private(request: Request, response: Response) -> None:
    """Tell caches that a response depends on its visitor, and forbid shared caches to store it, even if it allows that.

    Raises RuntimeError in debug mode if the response allows shared caches to store it.
    """
    if response.add_missing(_PRIVATE, unless=_OF_CACHES):
        return
    headers = response.headers
    if headers.setdefault("vary", "cookie") != "cookie":
        response.vary("Cookie")
    for name in (_OF_CDNS, "cache-control"):
        if is_debug() and name in headers:
            _refuse_shared(request, name.title().replace("Cdn", "CDN"), CacheControl.parse(headers[name]))
    keep_private(response)


_OF_CDNS = "cdn-cache-control"
_OF_CACHES = frozenset({"vary", "cache-control", _OF_CDNS})
_PRIVATE = SharedFields.of([("vary", "cookie"), ("cache-control", "private")])
"""The fields for a response that doesn't mention caches."""


def _refuse_shared(request: Request, field: str, control: CacheControl) -> None:
    """Raise RuntimeError for a field that lets shared caches store the response."""
    is_of_cdns = field.lower() == _OF_CDNS
    if (
        control.no_store
        or control.private is True
        or not (control.public or control.s_maxage is not None or is_of_cdns)
    ):
        return
    what = "the field" if is_of_cdns else "`public` and `s-maxage` (for static files: public=False)"
    raise explained(
        "shared-page-of-visitor",
        f"{request.route.handled_by} responds with {field}: {control}, so caches may serve the response to"
        f" everyone, but the session or user was read to make it: leave out {what}, or don't read either there",
        RuntimeError,
    )


def _place(app: "App") -> str:
    """Return where an application is mounted, for errors."""
    places = ", ".join(repr(mount.where) for _, mount in Mount.all_above(app))
    return f"the app mounted at {places}" if places else "the outer app"
