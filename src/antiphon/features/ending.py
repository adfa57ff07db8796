"""How ``Users`` ends its users: everything that is kept for a user, by one call, and streams that can be cut off."""

import logging
from collections.abc import Callable, Collection, Generator, Iterable, Iterator
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias
from weakref import WeakKeyDictionary, WeakSet, ref

from antiphon import Dependency, Request, Response, explained
from antiphon.embedding import FeatureStore, RequestState, is_for_any_thread, unwatched
from antiphon.features import Store, StoreUnavailable
from antiphon.features.ends import (
    BEGUN,
    ENDING,
    NOTED,
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
    render_in_progress,
)
from antiphon.types import Caller, Mount

if TYPE_CHECKING:
    from antiphon import App
    from antiphon.embedding import Added
    from antiphon.features import Users, UserSource
    from antiphon.types import Route

__reads__ = ()

Kinds: TypeAlias = "Iterable[tuple[str, Callable[[], int | None]]]"
"""What the ``__ends__`` of a feature or a source of users returns for a user, and the key that a session keeps, or the
id as text: each kind of things that it holds for users, with a function that ends those of the user and returns how
many they were; None if nobody knows. Every end of a user goes through this one list.
"""


def by_key(kind: str, key: str | None, delete: Callable[[str], int | None] | None) -> Kinds:
    """Return one kind of things, which a function deletes by the key of their user, if both are known."""
    return [(kind, lambda: None if key is None or delete is None else delete(key))]


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
    a user, or an address without one, may have ``most`` streams and sockets open.

    Middleware and other code that handlers may call is here, since what it reads is not followed: no route has to
    resolve the user for it.
    """

    def __init__(self, users: "Users[Any]", revoke: Callable[[Any], object] | None, most: int) -> None:
        self._users = users
        self.sources_of = users._sources_of
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
            app.provided.provide(
                BEGUN,
                ends.begin,
                blocking=store.blocks,
                when=partial(note_begin, ends, may_log_in),
                default=noted,
                ahead=partial(note_begin, ends, may_log_in_here),
            )
            app.provided.provide(NOTED, lambda _: ends.note(), ahead=lambda _: True)
            app.provide(ENDING, lambda _: self)
        app.middleware(when_read=users._dependency)(self._around)

    def of(self, app: "App | None") -> Ends:
        """Return the ends of an application's users."""
        return self._of_apps[app]  # type: ignore[index]  # of a request that has users

    def is_login_of(self, owner: str, request: Request) -> bool:
        """Return True for a request of this owner by a login that has not ended. Calls the store."""
        user = RequestState(request).values.get(self._users._found)
        is_owner = user is not None and self._users.stored_key(user) == owner
        return is_owner and all(each._is_valid(request) for each in self.sources_of(request))

    def look_again(self, holder: object, key: str, *, tokens: bool) -> None:
        """Let the processes look again at what is open for a user whose credentials this feature or source holds."""
        for app, ends in [*self._of_apps.items()]:
            if holder in self._users.sources or holder in app.features:
                with suppress(StoreUnavailable):
                    ends.look_again(key, tokens=tokens)

    def new_owner(
        self, request: Request, begun: Dependency[LoginBegun], keep: Collection[str], user: Any, key: str
    ) -> NewOwner:
        """Return the user to whom a request's session belongs from now on. ``keep`` lists what stays if others end."""
        self._steps_but(keep, user, key)
        values = RequestState(request).values
        found = values.get(self._users._found)
        is_out = values.get(self._users._dependency, found) is None
        maker = None if is_out else self._users.stored_key(found)
        rest = partial(self.end, user, {"sessions", *keep})
        return NewOwner(begin_of(request, begun, key), key, rest, () if maker is None else (maker,))

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
        """Let a stream, a socket or a live block, if one is open, end with its user, who is known by now. One without a
        user counts for the client's address.
        """
        render = render_in_progress.get()
        if render is None and self._opened not in request:
            return
        opened = RequestState(request).values.pop(self._opened)() if self._opened in request else None
        with unwatched(request):
            address = request.ip
        if user is None and opened is not None and address is not None:
            owner = f"address {Caller.network_of(address)}"
            self.of(request.app).watch(owner, set(), opened, request, self, self._most)
        sources = self.sources_of(request)
        behind = {key for source in sources for key in source._by(request)}
        # Also the one who acts as the user, by ``Users.become``.
        for each in [] if user is None else [user, RequestState(request).values.get(self._users._found)]:
            if each is None or (identity := self._users._key_of(each)) is None:
                continue
            keys = behind.union(filter(None, [self._users.stored_key(each)]))
            if render is not None:
                render.note_login((identity, *keys), _next_check(request, sources))
            if opened is not None:
                self.of(request.app).watch(identity, keys, opened, request, self, self._most)

    def seconds_left(self, request: Request) -> float:
        """Return after how many seconds the credentials of a request have to be checked again: 0 if they have ended
        since they were checked. Calls the store.
        """
        sources = self.sources_of(request)
        with unwatched(request):
            told = [source._is_valid(request) for source in sources]
            left = _next_check(request, sources)
        if False in told or (None in told and (left <= 0 or self._has_ended(request, "user", TOKENS))):
            return 0.0
        return left if left > 0 else RENEWED_FOR

    def seconds_open(self, request: Request) -> float:
        """Return for how many seconds what a request has opened may stay open. Calls the store."""
        return 0.0 if self._has_ended(request, OPENED) else self.seconds_left(request)

    def note_check(self, request: Request) -> None:
        """Note when the credentials of a request are checked."""
        request[self._checked] = self.of(request.app).note()

    def _has_ended(self, request: Request, *ends: str) -> bool:
        """Return True if there was such an end of the user of a request since the credentials were checked."""
        user = RequestState(request).values.get(self._users._found)
        key = None if user is None or self._checked not in request else self._users.stored_key(user)
        return key is not None and any(request[self._checked].is_too_late(key, what) for what in ends)

    # The end

    def disconnect(self, user: Any) -> None:
        """Close what is open for a user, also what is only being opened. Raises StoreUnavailable."""
        key = self._users.stored_key(user)
        for ends in self._of_apps.values():
            if key is not None:
                ends.mark(key, OPENED)
            ends.tell(self._users._key_of(user) or "")

    def end(self, user: Any, keep: Collection[str] = ()) -> dict[str, int | None]:
        """End everything of a user but the kinds in ``keep``, as far as the stores respond.

        Raises StoreUnavailable, which says what has ended and what hasn't, and ValueError for kinds that nothing holds.
        """
        key, identity = self._users.stored_key(user), self._users._key_of(user)
        ended, failed = dict[str, int | None](), list[str]()
        steps = self._steps_but(keep, user, key)
        for ends in self._of_apps.values():
            if key is not None:
                _try("logins under way", partial(ends.mark, key), {}, failed)
        for what, step in steps:
            _try(what, step, ended, failed)
        for ends in self._of_apps.values():
            _try("open streams and sockets", partial(ends.tell, identity or ""), {}, failed)
        if failed:
            detail = (
                f"Not everything of the user has ended. Ended: {_listed(ended)}. Not ended:"
                f" {_listed(dict.fromkeys(failed))}. Please try again in a moment."
            )
            raise StoreUnavailable(detail, retry_after=FeatureStore.RETRY_AFTER)
        if unknown := [what for what, count in ended.items() if count is None]:
            logging.getLogger("antiphon").warning(
                "Users.end can't end a user's %s: end what the application itself keeps in Users(..., revoke=function)",
                _listed(unknown),
            )
        return ended

    def _steps_but(self, keep: Collection[str], user: Any, key: str | None) -> list[tuple[str, Callable[[], Any]]]:
        steps = [*self._steps(user, key)]
        kinds = dict.fromkeys(what for what, _ in steps)
        if wrong := [each for each in keep if each not in kinds]:
            raise explained("bad-feature-option", f"keep lists {wrong[0]!r}, but users have: {_listed(kinds)}")
        return [(what, step) for what, step in steps if what not in keep]

    def _steps(self, user: Any, key: str | None) -> Iterator[tuple[str, Callable[[], Any]]]:
        """Yield what can end, with the function that ends it. Sessions come first, since they can make the others."""
        sources = sorted(self._users.sources, key=lambda source: not source._is_sent_by_itself)
        for each in dict.fromkeys([*sources, *[feature for app in self._of_apps for feature in app.features]]):
            if (ends := getattr(each, "__ends__", None)) is not None:
                yield from ends(user, key)
            elif each in sources and self._revoke is None:
                public = [kind.__name__ for kind in type(each).__mro__ if kind.__name__[0] != "_"]
                yield f"{public[0]} credentials", lambda: None
        if self._revoke is not None:
            yield "revoked", partial(self._revoked, self._revoke, user)

    @staticmethod
    def _revoked(revoke: Callable[[Any], object], user: Any) -> int:
        count = revoke(user)
        return count if isinstance(count, int) else 0


def _next_check(request: Request, sources: "list[UserSource[Any]]") -> float:
    """Return after how many seconds the credentials of a request end, or have to be checked again."""
    return min([RENEWED_FOR, *[source._seconds_left(request) for source in sources]])


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
        counts = step(), ended.get(what, 0)
        ended[what] = None if None in counts else sum(filter(None, counts))
    except StoreUnavailable:  # which is already logged
        failed.append(what)
    except Exception:
        logging.getLogger("antiphon").exception("a user's end has failed: %s", what)
        failed.append(what)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "nothing"
