"""How ``Users`` ends its users: everything that is kept for a user, by one call, and streams that can be cut off."""

import logging
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import suppress
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable
from weakref import WeakKeyDictionary, WeakSet, ref

from antiphon import Dependency, Request, Response
from antiphon.embedding import RETRY_AFTER, is_for_any_thread, unwatched
from antiphon.features import Store, StoreUnavailable
from antiphon.features.ends import (
    BEGUN,
    ENDING,
    OF_THIS_PROCESS,
    OPENED,
    RENEWED_FOR,
    TOKENS,
    Cuttable,
    Ends,
    LoginBegun,
    NewOwner,
    begin_of,
    may_log_in,
    may_log_in_here,
    note_begin,
    noted,
)
from antiphon.features.live.statements import read_login, render_in_progress
from antiphon.types import Mount

if TYPE_CHECKING:
    from antiphon import App
    from antiphon.embedding import Added
    from antiphon.features.users import Users, UserSource
    from antiphon.types import Route

__reads__ = ()


@runtime_checkable
class HoldsForUsers(Protocol):
    """A feature, or a source of users, that can end everything that it holds for a user."""

    _holds: str
    """What it holds, in the plural."""

    def _end_all_of(self, user: Any, key: str | None) -> int | None:
        """End it and return how much it was, or None if it isn't known what belongs to the user. ``key`` is the key
        that a session keeps, or the user's id as text; None if there is neither. Raises StoreUnavailable.
        """
        ...


# Streams


def is_open_long(request: Request, response: Response) -> bool:
    """Return True for a stream or a WebSocket, but not for a file."""
    return response.is_streamed and request.method != "HEAD" and not is_for_any_thread(response.body)


# The users of an application


def _space_of(name: str, app: "ref[App]") -> str:
    found = app()
    return f"{name} at {Mount.first_place_of(found) if found is not None else ''}"


class Ending:
    """How one ``Users`` ends its users. ``revoke`` ends the credentials that only the application knows. In a process,
    a user may have ``most`` streams and sockets open.

    Middleware and other code that handlers may call is here, since what it reads is not followed: no route has to
    resolve the user for it.
    """

    def __init__(self, users: "Users[Any]", revoke: Callable[[Any], object] | None, most: int) -> None:
        self._users = users
        self._most = most
        self._revoke = revoke
        self._of_apps: WeakKeyDictionary[App, Ends] = WeakKeyDictionary()
        self._opened = Dependency[ref[Cuttable]]("stream whose user is not known yet")
        self._checked = Dependency[LoginBegun]("credentials checked")
        _endings.add(self)

    def __adds__(self, _route: "Route", _method: str) -> tuple["Added", ...]:
        return ()  # the streams that it watches keep their status and their fields

    @property
    def blocks(self) -> bool:
        """True if the end waits for a disk or a network."""
        return self._revoke is not None or any(ends.blocks for ends in self._of_apps.values())

    def install(self, app: "App") -> None:
        """Watch the streams of an application, and let its logins know when they began."""
        users = self._users
        name = users._dependency.name
        sessions = next((found for source in users.sources if (found := source._kept_in(app)) is not None), None)
        own = getattr(app, "store", None) if sessions is None else sessions[0]
        store = own if isinstance(own, Store) and own.is_server_side else OF_THIS_PROCESS
        space = partial(_space_of, name, ref(app)) if sessions is None else lambda: f"{name} {sessions[1]}"
        ends = self._of_apps[app] = Ends(store, space)
        if not app.is_provided(BEGUN):
            app._dependencies.provide(
                BEGUN,
                ends.begin,
                blocking=store.blocks,
                when=partial(note_begin, ends, may_log_in),
                default=noted,
                ahead=partial(note_begin, ends, may_log_in_here),
            )
            app.provide(ENDING, lambda _: self)
        app.middleware(when_read=users._dependency)(self._around)

    def of(self, app: "App | None") -> Ends:
        """Return the ends of an application's users."""
        return self._of_apps[app]  # type: ignore[index]  # of a request that has users

    def look_again(self, holder: object, key: str, *, tokens: bool) -> None:
        """Let the processes look again at what is open for a user whose credentials this feature or source holds."""
        for app, ends in [*self._of_apps.items()]:
            if holder in self._users.sources or holder in app.features:
                with suppress(StoreUnavailable):
                    ends.look_again(key, tokens=tokens)

    def new_owner(self, request: Request, begun: Dependency[LoginBegun], user: Any, key: str) -> NewOwner:
        """Return the user to whom a request's session belongs from now on."""
        return NewOwner(begin_of(request, begun), key, self._users._key_of(user))

    # Streams

    def _around(self, request: Request) -> Generator[None, Response, Response | None]:
        response = yield
        if not is_open_long(request, response):
            return None
        from antiphon.embedding import endable  # late: it needs asyncio

        opened, response = endable(request, response)
        request[self._opened] = ref(opened)  # a WebSocket's refers to the request
        if self._users._dependency in request:
            self.note_user(request, request[self._users._dependency])
        return response

    def note_user(self, request: Request, user: Any) -> None:
        """Let a stream, a socket or a live block, if one is open, end with its user, who is known by now."""
        reads = render_in_progress()
        if reads is None and self._opened not in request:
            return
        opened = request._dependencies.pop(self._opened)() if self._opened in request else None
        if user is None or (identity := self._users._key_of(user)) is None:
            return
        key, sources = self._owner_of(user), self.sources_of(request)
        if reads is not None:
            read_login(reads, (identity, key), min((each._seconds_left(request) for each in sources), default=inf))
        if opened is not None:
            self.of(request.app).watch(identity, key, opened, request, self, self._most)

    def _owner_of(self, user: Any) -> str | None:
        """Return the owner by which features hold credentials of a user."""
        key = self._users._stored_key(user)
        return user if key is None and isinstance(user, str) else key

    def sources_of(self, request: Request) -> "list[UserSource[Any]]":
        """Return the sources for which a request has credentials."""
        with unwatched(request):
            return [source for source, _ in self._users._given(request)]

    def seconds_left(self, request: Request) -> float:
        """Return after how many seconds the credentials of a request have to be checked again: 0 if they have ended
        since they were checked. Calls the store.
        """
        sources = self.sources_of(request)
        with unwatched(request):
            told = [source._is_valid(request) for source in sources]
            left = min((each._seconds_left(request) for each in sources), default=inf)
        if False in told or (None in told and (left <= 0 or self._has_ended(request, "user", TOKENS))):
            return 0.0
        return min(left, RENEWED_FOR) if left > 0 else RENEWED_FOR

    def seconds_open(self, request: Request) -> float:
        """Return for how many seconds what a request has opened may stay open. Calls the store."""
        return 0.0 if self._has_ended(request, OPENED) else self.seconds_left(request)

    def note_check(self, request: Request) -> None:
        """Note when the credentials of a request are checked."""
        request[self._checked] = self.of(request.app).note()

    def _has_ended(self, request: Request, *ends: str) -> bool:
        """Return True if there was such an end of the user of a request since the credentials were checked."""
        user = request._dependencies.get(self._users._found)
        key = None if user is None or self._checked not in request else self._owner_of(user)
        return key is not None and any(request[self._checked].is_too_late(key, what) for what in ends)

    # The end

    def disconnect(self, user: Any) -> None:
        """Close what is open for a user, also what is only being opened. Raises StoreUnavailable."""
        key = self._owner_of(user)
        for ends in self._of_apps.values():
            if key is not None:
                ends.mark(key, OPENED)
            ends.tell(self._users._key_of(user) or "")

    def end(self, user: Any) -> dict[str, int | None]:
        """End everything of a user, as far as the stores respond.

        Raises StoreUnavailable, which says what has ended and what hasn't.
        """
        key, identity = self._users._stored_key(user), self._users._key_of(user)
        ended, failed = dict[str, int | None](), list[str]()
        for ends in self._of_apps.values():
            if key is not None:
                _try("logins under way", partial(ends.mark, key), {}, failed)
        for what, step in self._steps(user, key):
            _try(what, step, ended, failed)
        for ends in self._of_apps.values():
            _try("open streams and sockets", partial(ends.tell, identity or ""), {}, failed)
        if failed:
            detail = (
                f"Not everything of the user has ended. Ended: {_listed(ended)}. Not ended:"
                f" {_listed(dict.fromkeys(failed))}. Please try again in a moment."
            )
            raise StoreUnavailable(detail, retry_after=RETRY_AFTER)
        if unknown := [what for what, count in ended.items() if count is None]:
            logging.getLogger("antiphon").warning(
                "Users.end can't end a user's %s: end what the application itself keeps in Users(..., revoke=function)",
                _listed(unknown),
            )
        return ended

    def _steps(self, user: Any, key: str | None) -> Iterator[tuple[str, Callable[[], Any]]]:
        """Yield what can end, with the function that ends it. Sessions come first, since they can make the others."""
        for source in sorted(self._users.sources, key=lambda source: not source._is_sent_by_itself):
            if isinstance(source, HoldsForUsers):
                yield source._holds, partial(source._end_all_of, user, key)
            elif self._revoke is None:
                public = [kind.__name__ for kind in type(source).__mro__ if kind.__name__[0] != "_"]
                yield f"{public[0]} credentials", lambda: None
        for feature in dict.fromkeys(each for app in self._of_apps for each in app.features):
            if isinstance(feature, HoldsForUsers):
                yield feature._holds, partial(feature._end_all_of, user, key)
        if self._revoke is not None:
            yield "revoked", partial(self._revoked, self._revoke, user)

    @staticmethod
    def _revoked(revoke: Callable[[Any], object], user: Any) -> int:
        count = revoke(user)
        return count if isinstance(count, int) else 0


_endings: "WeakSet[Ending]" = WeakSet()


def look_again(holder: object, key: str | None, *, tokens: bool = False) -> None:
    """Close what is open for a user by credentials that have ended, wherever the feature or the source is in use that
    has held them. This calls the store: if that is unavailable, which is logged, they stay ended.
    """
    for ending in [*_endings] if key is not None else ():
        ending.look_again(holder, key or "", tokens=tokens)


def _try(what: str, step: Callable[[], Any], ended: dict[str, int | None], failed: list[str]) -> None:
    """End one kind of things, and record that, or its failure."""
    try:
        ended[what] = step()
    except StoreUnavailable:  # which is already logged
        failed.append(what)
    except Exception:
        logging.getLogger("antiphon").exception("a user's end has failed: %s", what)
        failed.append(what)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "nothing"
