"""Logins kept in the session, as a source of users, and the functions to log in and out.

app.use(Sessions(store))
app.use(Users(SessionLogin(find_user), login="login"))
"""

from abc import abstractmethod
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from contextlib import suppress
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, overload
from weakref import WeakSet

from antiphon import Request, Response, explained
from antiphon.embedding import describe, errors_name_it, is_on_loop, mounted_together
from antiphon.features import Store
from antiphon.features.ending import Kinds, by_key
from antiphon.features.ends import BEGUN, NewOwner
from antiphon.features.sessions import Sessions
from antiphon.features.tracked_session import NAME, TrackedSession
from antiphon.features.users import USERS, Users, UserSource, check_loader, check_maker, sources_of
from antiphon.types import Identity

if TYPE_CHECKING:
    from antiphon import App

U = TypeVar("U")

Begun: TypeAlias = Callable[[Any, str], NewOwner]
"""A function that returns whose a session is from now on, of a user and a key."""
_FIX = "SessionLogin(find_user, key=lambda user: user.uuid)"


def _id_of(user: Any) -> str:
    """Return a user's ``id`` as text. Raises TypeError or ValueError, naming the fix, if there is none."""
    try:
        found = user.id
    except AttributeError:
        raise explained(
            "user-without-key",
            f"SessionLogin: a {type(user).__name__} has no `id` to recognize the user by: {_FIX}",
            TypeError,
        ) from None
    if found is None:
        raise explained(
            "user-without-key",
            f"SessionLogin: the `id` of this {type(user).__name__} is None: save the user first, or name a key: {_FIX}",
        )
    return str(found)


class LoginSource(UserSource[U]):
    """A source with logins of its own, which ``login`` begins and ``logout`` ends."""

    def login_age(self, request: Request) -> float | None:  # noqa: ARG002
        """Return ``inf``: it is a login, and nobody knows since when."""
        return inf

    @abstractmethod
    def _begin_login(self, request: Request, user: Any, begun: Begun, *, end_others: bool) -> None:
        """Begin a login, and end the user's others if ``end_others``. Raises NotImplementedError if it can't."""

    @abstractmethod
    def _end_login(self, request: Request, *, everywhere: bool) -> None:
        """End the request's login, or all of its user. Raises NotImplementedError if it can't."""


@errors_name_it
class SessionLogin(LoginSource[U]):
    """A login kept in the visitor's session. The loader is called with the user's key, as text.

        app.use(Users(SessionLogin(load_user)))

    ``key`` returns a user's key, by default the ``id`` as text. A key must never change or belong to another user. If
    the loader no longer finds the user, the session is anonymous. Call ``app.use(Sessions(store))`` before
    ``app.use(Users(...))``.
    """

    @overload  # separate, since a type checker finds no U in a union of the two
    def __init__(self, loader: Callable[[str], Awaitable[U | None]], *, key: Callable[[U], str] = ...) -> None: ...
    @overload
    def __init__(self, loader: Callable[[str], U | None], *, key: Callable[[U], str] = ...) -> None: ...
    def __init__(
        self,
        loader: Callable[[str], U | None] | Callable[[str], Awaitable[U | None]],
        *,
        key: Callable[[U], str] = _id_of,
    ) -> None:
        check_loader(loader, "key")
        super().__init__(loader)
        self._key = key
        self._sessions: WeakSet[Sessions] = WeakSet()

    def install(self, app: "App") -> None:
        """Check that sessions are installed and that no other login uses them, and check this again when the app
        starts.

        Raises RuntimeError, naming the fix, if there are no sessions yet. Raises ValueError for a login with another
        loader, in this app or in an app that is mounted together with it and shares its sessions.
        """
        if not app.is_provided(Request.session):
            raise explained(
                "missing-feature",
                "SessionLogin keeps logins in the session: app.use(Sessions(store)), before app.use(Users(...))",
                RuntimeError,
            )
        self._check_apart(app)
        app.on_startup(partial(self._check_apart, app))
        if (sessions := app.find_feature(Sessions)) is not None:
            self._sessions.add(sessions)

    def _check_apart(self, app: "App") -> None:
        own = app.find_feature(Sessions)
        for other in mounted_together(app):
            theirs = other.find_feature(Sessions)
            if other is app or (own is not None and theirs is not None and own.are_shared(theirs)):
                for login in sources_of(other, SessionLogin):
                    self._check_same(login)

    def _check_same(self, other: "SessionLogin[Any]") -> None:
        if other.loader != self.loader:
            raise explained(
                "feature-used-twice",
                "two SessionLogin share a session, so a user of one would be the user of the other with the"
                f" same key: {describe(other.loader)} and {describe(self.loader)}. Find both kinds of users with"
                ' one loader and keys such as "admin 7", or mount an app for one kind, with a separate cookie,'
                ' Sessions(store, cookie="__Host-admin"), and for a CookieStore also separate secret keys',
            )

    def credentials(self, request: Request) -> tuple[str] | None:
        found = request.session.peek(NAME)
        return (found,) if isinstance(found, str) else None

    def note_use(self, request: Request) -> None:
        request.session.get(NAME)

    _is_sent_by_itself = True

    def scheme(self, app: "App") -> tuple[str, Mapping[str, Any]]:
        sessions = app.find_feature(Sessions)
        name = "session" if sessions is None else sessions.secure_cookie
        return "session", {"type": "apiKey", "in": "cookie", "name": name}

    def _identity(self, given: tuple[Any, ...], key: str | None) -> Identity:  # noqa: ARG002
        """Return the user to whom the session belongs. A login in the handler adds it, and leaves the session."""
        return Identity("login", given[0])

    def login_age(self, request: Request) -> float | None:
        session = request.session
        return session.login_age if isinstance(session, TrackedSession) else inf

    def _by(self, request: Request) -> Iterable[str]:
        session = request.session
        return session.begun_by if isinstance(session, TrackedSession) else ()

    def _begin_login(self, request: Request, user: Any, begun: Begun, *, end_others: bool) -> None:
        key, session = self.key_of(user), request.session
        if isinstance(session, TrackedSession):
            session.log_in(key, begun(user, key), end_others=end_others)
            return
        if session.get(NAME) not in (None, key):
            session.clear()
        session.rotate(key, end_others=end_others)
        session[NAME] = key

    def _end_login(self, request: Request, *, everywhere: bool) -> None:
        request.session.clear(everywhere=everywhere)

    def __ends__(self, user: Any, key: str | None) -> Kinds:
        return by_key("sessions", key, self._end_sessions)

    def _end_sessions(self, key: str) -> int | None:
        """End all sessions of a user. Return None if the store can't."""
        able = [sessions for sessions in self._sessions if sessions.place is not None]
        return sum(sessions.delete_owned(key) for sessions in able) if able else None

    def _kept_in(self, app: "App") -> tuple[Store, str] | None:
        sessions = app.find_feature(Sessions)
        return None if sessions is None else sessions.place

    def _is_valid(self, request: Request) -> bool:
        session = request.session
        return not isinstance(session, TrackedSession) or session.is_kept()

    def _seconds_left(self, request: Request) -> float:
        session = request.session
        return session.seconds_left if isinstance(session, TrackedSession) else inf

    def _key_of(self, user: U) -> str | None:
        with suppress(TypeError, ValueError, AttributeError):  # a user that another source found may have no key
            return self.key_of(user)
        return None

    def key_of(self, user: U) -> str:
        """Return the key that the session keeps for a user.

        Raises TypeError or ValueError for a key that is not valid.
        """
        key = self._key(user)
        if not isinstance(key, str) or not key:
            raise explained(
                "user-without-key",
                f"the key of a user must be non-empty text: {describe(self._key)} returned {key!r:.100}",
                TypeError,
            )
        return key


def login(request: Request, user: object, *, end_others: bool = False, keep: Collection[str] = ()) -> None:
    """Log a user in: the visitor's session now belongs to the user, and ``request.user`` is this object.

    The session gets a new key and keeps its data unless it belongs to another user. If the handler or a hook has read
    that user, such as an administrator who acts as another user, the session also ends with that user, and makes no
    other credentials. ``end_others`` ends everything else of the user when the response is made, as ``Users.end`` does,
    for example after a password change: other sessions, API keys, refresh tokens, passkeys and runs, but not the kinds
    in ``keep``. Check the password before you call this. With a ``DjangoLogin``, it is Django's own login, in ``def``
    handlers. Raises Forbidden (403) for a request with an API key or a token; RuntimeError, naming the fix, in an app
    without ``Users`` with a source that keeps logins; TypeError or ValueError for a user without a key; and
    NotImplementedError if the sessions' store, or Django, can't end sessions.
    """
    users, source = _source(request)
    check_maker(request, own=False)
    # It alone refers to this dependency, so that only what calls it is known to begin logins.
    begun = partial(users._ending.new_owner, request, BEGUN, keep)
    source._begin_login(request, user, begun, end_others=end_others)
    users.become(request, user, is_login=True)


def logout(request: Request, *, everywhere: bool = False) -> None:
    """Log the user out: the visitor's session ends, its data is deleted, and ``request.user`` is None. Streams and
    WebSockets that the session has opened are then closed, in all processes, unless clients keep the sessions. The
    response asks the browser to remove this site's pages from its cache (Clear-Site-Data), unless it has that field.

    ``everywhere`` ends everything of the user before the response is sent, as ``Users.end`` does, by whichever
    credentials the request has. It raises the errors of ``Users.end``, and NotImplementedError if the store of the
    sessions, or Django, can't do that. Raises RuntimeError, naming the fix, in an app without ``Users`` with a
    ``SessionLogin`` or a ``DjangoLogin``.
    """
    users, source = _source(request)
    user = request.user
    source._end_login(request, everywhere=everywhere)
    if everywhere and user is not None:
        if users._ending.blocks and is_on_loop():
            request.on_response(partial(_end_on_thread, users, user))
        else:
            users.end(user)
    users.become(request, None)
    request.on_response(_clear_cache)


def _clear_cache(request: Request, response: Response) -> None:  # noqa: ARG001
    response.headers.setdefault("clear-site-data", '"cache"')  # others of this host need its cookies and storage


async def _end_on_thread(users: Users[Any], user: object, request: Request, response: Response) -> None:  # noqa: ARG001
    from asyncio import to_thread

    await to_thread(users.end, user)


def _source(request: Request) -> tuple[Users[Any], LoginSource[Any]]:
    users = request[USERS]
    for source in users.sources:
        if isinstance(source, LoginSource):
            return users, source
    raise explained(
        "missing-feature",
        "no source of users keeps logins in the session: app.use(Users(SessionLogin(find_user), ...))",
        RuntimeError,
    )
