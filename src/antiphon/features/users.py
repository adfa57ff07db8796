"""Users, as a feature of an app: ``request.user``, found by a request's credentials, and ``login_required``.

app.use(Users(Bearer(find_by_token), login="login"))
"""

import logging
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from hashlib import sha256
from hmac import compare_digest
from inspect import isawaitable
from math import inf
from time import time
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar, overload

from antiphon import Dependency, Redirect, Request, TrustedProxies, explained
from antiphon.embedding import (
    Reads,
    RequestState,
    arrivals,
    check_arguments,
    check_no_decorator,
    check_numbers,
    errors_name_it,
    is_async,
    mounted_together,
    ready,
    seconds_of,
    signature_of,
    unwatched,
)
from antiphon.features import Store
from antiphon.features.ending import Ending
from antiphon.features.ends import CLOCKS_APART, is_nobody
from antiphon.http import Challenge, Forbidden, Unauthorized, format_query
from antiphon.types import Duration, Identity

if TYPE_CHECKING:
    from antiphon import App
    from antiphon.features import AccessToken, ProtectedResource

U = TypeVar("U")
S = TypeVar("S")

TOKEN_LEEWAY = 60.0
"""The number of seconds by which the clocks of those who sign tokens and those who read them may differ."""
_LATEST = 1e12
"""A time after which no token ends, in Unix seconds."""
_LONGEST_NEXT = 2000
"""The maximum length of a return URL passed to a login page, in characters."""


def check_loader(loader: Callable[..., object], *given: str) -> None:
    """Check that a function that finds a user can be called with these arguments. Raises TypeError."""
    try:
        check_arguments(loader, *given)
    except TypeError as error:
        if callable(loader) and "request" in signature_of(loader).parameters:
            error.add_note("For the request, call current_request() from antiphon")
        raise


class UserSource(ABC, Generic[U]):
    """A kind of credentials, with the ``loader`` that finds the user they belong to. This is the base class for your
    own kinds of credentials.

    The loader is called with the values that ``credentials`` returns. It can be ``def`` or ``async def``, and returns
    the user, or None if the credentials are not valid. ``scopes`` is a function that returns the scopes of a user with
    such credentials, for ``scopes_required``.
    """

    _scopes: Callable[[U], Iterable[str]] | None = None
    header: str | None = None
    """The header that the credentials come from; None if it is Authorization. It is read only from requests in which a
    trusted proxy sets it, unless ``header_is_secret``.
    """
    header_is_secret: bool = False
    """True if clients send the ``header`` themselves, with a secret such as a key."""

    def __init__(
        self,
        loader: Callable[..., U | None] | Callable[..., Awaitable[U | None]],
        *,
        scopes: Callable[[U], Iterable[str]] | None = None,
    ) -> None:
        self.loader = loader
        self._scopes = scopes

    @abstractmethod
    def credentials(self, request: Request) -> tuple[Any, ...] | None:
        """Return the loader's arguments, or None if a request has no credentials of this kind. Must not block."""

    def install(self, app: "App") -> None:
        """Register what this source needs with an application, or check that it is installed. ``Users`` calls this."""

    def scheme(self, app: "App") -> tuple[str, Mapping[str, Any]]:  # noqa: ARG002
        """Return the name of this kind of credentials in API documents, and its Security Scheme Object (OpenAPI), which
        is empty if documents can't describe it. The default describes the ``header``, or the ``challenge``.
        """
        if self._scheme is None and self.header is not None:
            return type(self).__name__, {"type": "apiKey", "in": "header", "name": self.header}
        scheme = self._scheme or str(self.challenge(Request.blank()) or "").partition(" ")[0].lower()
        return self._scheme or type(self).__name__, {"type": "http", "scheme": scheme} if scheme else {}

    @property
    def has_logins(self) -> bool:
        """True if a person may have logged in with credentials of this kind."""
        return type(self).login_age is not UserSource.login_age

    @property
    def knows_scopes(self) -> bool:
        """True if credentials of this kind have scopes."""
        return self._scopes is not None or type(self).scopes_of is not UserSource.scopes_of

    def scopes_of(self, request: Request, user: U) -> Iterable[str] | None:  # noqa: ARG002
        """Return the scopes that the credentials of a request give its user; None if they know no scopes."""
        return None if self._scopes is None else self._scopes(user)

    def needs(self, request: Request, scopes: Iterable[str]) -> Challenge | None:  # noqa: ARG002
        """Return the challenge for a 403 that asks for more scopes, or None."""
        return None

    def login_age(self, request: Request) -> float | None:  # noqa: ARG002
        """Return the number of seconds since a person has logged in with the credentials of a request: ``inf`` if that
        is unknown; None, the default, if they are not a person's login. Only a login makes other credentials.
        """
        return None

    def note_use(self, request: Request) -> None:
        """Record that the response depends on whether these credentials are present. Called when the user is read."""

    _scheme: str | None = None
    """The authentication scheme of HTTP, if it is also the name of this kind of credentials."""
    _replaces: tuple[str, ...] = ()
    """The header fields that the credentials come from."""

    @property
    def _asks_store(self) -> bool:
        """True if the user is found by a store that waits for a disk or a network."""
        return False

    _is_sent_by_itself = False
    """True if browsers send the credentials with each request, even if their user is gone."""

    def _identity(self, given: tuple[Any, ...], key: str | None) -> Identity | None:
        """Return the identity of a user with this key or, if no user has been loaded, of the credentials. None if
        these are known anyway.
        """
        if key is not None:
            return Identity("user", key, self._replaces)
        if "authorization" in self._replaces:
            return None
        return Identity.of_credentials(
            type(self).__qualname__, repr([each for each in given if not isinstance(each, Request)])
        )

    def _key_of(self, user: U) -> str | None:  # noqa: ARG002
        """Return the key by which this kind of source knows a user, or None."""
        return None

    def _kept_in(self, app: "App") -> tuple[Store, str] | None:  # noqa: ARG002
        """Return the store and the cookie of the sessions in which these credentials are kept, if they are."""
        return None

    def _is_valid(self, request: Request) -> bool | None:  # noqa: ARG002
        """Return False if the credentials of a request have ended since they were checked, and None if only the loader
        and the end of their user tell. Calls the store.
        """
        return None

    def _by(self, request: Request) -> Iterable[str]:  # noqa: ARG002
        """Return the keys of other users with whose end these credentials end."""
        return ()

    def _seconds_left(self, request: Request) -> float:  # noqa: ARG002
        """Return for how many seconds the credentials of a request are valid, unless others renew them. Does not call
        the store.
        """
        return inf

    def challenge(self, request: Request) -> Challenge | None:  # noqa: ARG002 - for kinds that look at it
        """Return the challenge to send with a 401 (RFC 9110 §11.6.1), or None if only browsers can log in this way."""
        return None


@errors_name_it
class Basic(UserSource[U]):
    """A name and a password with each request (RFC 7617). The loader is called with both.

        app.use(Users(Basic(load_user)))

    The loader must check the password, with a slow hash if people choose their passwords. Browsers may show the
    ``realm`` when they ask for the name and password.
    """

    @overload  # separate, since a type checker finds no U in a union of the two
    def __init__(
        self,
        loader: Callable[[str, str], Awaitable[U | None]],
        *,
        realm: str = "Restricted",
        scopes: Callable[[U], Iterable[str]] | None = None,
    ) -> None: ...
    @overload
    def __init__(
        self,
        loader: Callable[[str, str], U | None],
        *,
        realm: str = "Restricted",
        scopes: Callable[[U], Iterable[str]] | None = None,
    ) -> None: ...
    def __init__(
        self,
        loader: Callable[[str, str], U | None] | Callable[[str, str], Awaitable[U | None]],
        *,
        realm: str = "Restricted",
        scopes: Callable[[U], Iterable[str]] | None = None,
    ) -> None:
        check_loader(loader, "name", "password")
        super().__init__(loader, scopes=scopes)
        self._challenge = Challenge.basic(realm)

    _scheme, _replaces = "basic", ("authorization",)

    def login_age(self, request: Request) -> float | None:  # noqa: ARG002
        """Return 0: a password comes with each request."""
        return 0.0

    def credentials(self, request: Request) -> tuple[str, str] | None:
        given = request.authorization
        return (given.username or "", given.password or "") if given and given.scheme == "basic" else None

    def challenge(self, request: Request) -> Challenge:  # noqa: ARG002
        return self._challenge


@errors_name_it
class Bearer(UserSource[U]):
    """A token with each request (RFC 6750). The loader is called with the token.

        app.use(Users(Bearer(load_user)))

    The loader should look up a hash of the token, or compare the token with ``is_same_secret``. If ``Users`` has a
    ``resource``, the loader gets a verified token, as an ``AccessToken``.
    """

    @overload  # separate, since a type checker finds no U in a union of the two
    def __init__(
        self,
        loader: "Callable[[str], Awaitable[U | None]] | Callable[[AccessToken], Awaitable[U | None]]",
        *,
        realm: str = "Restricted",
        scopes: Callable[[U], Iterable[str]] | None = None,
    ) -> None: ...
    @overload
    def __init__(
        self,
        loader: "Callable[[str], U | None] | Callable[[AccessToken], U | None]",
        *,
        realm: str = "Restricted",
        scopes: Callable[[U], Iterable[str]] | None = None,
    ) -> None: ...
    def __init__(
        self,
        loader: Callable[..., U | None] | Callable[..., Awaitable[U | None]],
        *,
        realm: str = "Restricted",
        scopes: Callable[[U], Iterable[str]] | None = None,
    ) -> None:
        check_loader(loader, "token")
        super().__init__(loader, scopes=scopes)
        self.realm = realm
        self._missing = Challenge.bearer(realm)
        self._invalid = Challenge.bearer(realm, error="invalid_token")

    _scheme, _replaces = "bearer", ("authorization",)

    def credentials(self, request: Request) -> tuple[str] | None:
        given = request.authorization
        return (given.token or "",) if given and given.scheme == "bearer" else None

    def _seconds_left(self, request: Request) -> float:
        end = self._claimed_end(request)
        is_known = isinstance(end, int | float) and end < _LATEST
        return end + TOKEN_LEEWAY - time() if is_known else inf  # type: ignore[operator]

    def _claimed_end(self, request: Request) -> object:
        """Return the end that a JSON Web Token names, which the loader has verified (RFC 7519 §4.1.4)."""
        given = self.credentials(request)
        parts = given[0].split(".") if given else ()
        return read_token_part(parts[1]).get("exp") if len(parts) == 3 else None

    def challenge(self, request: Request) -> Challenge:
        """Return the challenge, which says whether the request contained an unknown or malformed token."""
        scheme, _, token = (request.head.field("authorization") or "").strip().partition(" ")
        return self._invalid if scheme.lower() == "bearer" and token.strip() else self._missing


class _TwoUsers:
    """Credentials of one request that belong to different users."""


@errors_name_it
class Users(Generic[U]):
    """A feature that provides ``request.user``: the user whose credentials a request has, or None.

        app.use(Users(SessionLogin(load_user)))

    If a request has credentials for several sources, all of them are checked. If some are not valid, there is no user,
    and if they belong to different users, reading the user raises Unauthorized (401). A session whose user no longer
    exists is ignored. A loader that is async, or that runs on a thread because of ``blocking``, is called before the
    hooks and the handler, and only for requests with credentials. A sync loader is called on first read.
    """

    def __init__(
        self,
        *sources: UserSource[U],
        login: str | None = None,
        blocking: bool = False,
        dependency: Dependency[U | None] | None = None,
        required: Dependency[U] | None = None,
        resource: "ProtectedResource | None" = None,
        revoke: Callable[[U], object] | None = None,
        max_open: int = 100,
    ) -> None:
        """``login`` is the route name of the login page, to which ``login_required`` redirects people.

        ``dependency`` provides the user with a type: ``Dependency[User | None]("visitor")``. So does ``required``:
        ``Dependency[User]("user")``, whose value is never None, because reading it refuses an anonymous request as
        ``login_required`` does. The first ``Users`` of an app also provides ``request.user`` and is used by
        ``login_required`` and ``login``. Any other ``Users`` needs a separate ``dependency``. With a ``resource``, the
        tokens of ``Bearer`` are access tokens of identity providers: see ``ProtectedResource``. ``revoke`` is a
        function that ``end`` calls with the user, for credentials that your own tables hold; it may return how many
        there were. In each process, a user, or an address without one, may have ``max_open`` streams and WebSockets
        open, and one more gets a 429. Raises TypeError for anything that is not a source, and ValueError for a
        ``max_open`` below 1.
        """
        check_numbers(max_open=max_open)
        if wrong := [source for source in sources if not isinstance(source, UserSource)]:
            raise explained(
                "bad-feature-option",
                f"Users accepts sources of users, such as Bearer(find_user), not {wrong[0]!r}",
                TypeError,
            )
        self.sources = sources if resource is None else resource.protect(sources, blocking=blocking)
        self._resource = resource
        self._login = login
        self._blocking = blocking and resource is None
        self._dependency: Dependency[U | None] = Request.user if dependency is None else dependency
        self._required = required
        if revoke is not None:
            check_arguments(revoke, "user", sync="revoke")
        self._ending = Ending(self, revoke, max_open)
        self._acts = Dependency[bool]("user set by code")
        self._found = Dependency[U | _TwoUsers | None](self._dependency.name)
        """The user as loaded, perhaps in advance. A user that is loaded in advance but never read leaves no trace."""

    def install(self, app: "App") -> None:
        """Provide the user. Raises ValueError if two ``Users`` of an app would both provide ``request.user``."""
        if app.is_provided(USERS) and self._dependency is Request.user:
            raise explained(
                "feature-used-twice",
                "another Users of this app already provides request.user: give this one its own dependency,"
                " Users(..., dependency=dependency)",
            )
        for source in self.sources:
            source.install(app)
            if source.header is not None and not source.header_is_secret:
                app.on_startup(partial(self._check_proxies, app, source))
        if self._resource is not None:
            self._resource.install(app)
        load = self._aload if any(is_async(source.loader) for source in self.sources) else self._load
        app.provide(self._found, load, blocking=self._blocking, when=self._has_credentials, default=_nobody)
        app.provide(self._dependency, self._read if len(self.sources) == 1 else self._read_of_several)
        app.provided.identifiers.append(self._identify)
        self._ending.install(app)
        if self._required is not None:
            app.provide(self._required, self._read_required)
        if not app.is_provided(USERS):
            self._install_first(app)
        if self._login is not None and self._login[:1] != ".":
            app.on_startup(partial(self._check_login, app, self._login))

    def _install_first(self, app: "App") -> None:
        if self._dependency is not Request.user:
            app.provide(Request.user, lambda request: request[self._dependency])
        app.provide(USERS, lambda request: self)  # noqa: ARG005

    def _check_login(self, app: "App", login: str) -> None:
        try:
            app.url_for(login)
        except LookupError as error:
            raise explained("unknown-route-name", f"Users(login={login!r}): {error}", LookupError) from None
        except ValueError as error:
            logging.getLogger("antiphon").info(
                "Users(login=%r): %s. Requests to routes that have that parameter are redirected there, others get a"
                " 401.", login, error
            )  # fmt: skip

    @staticmethod
    def _check_proxies(app: "App", source: UserSource[Any]) -> None:
        if not any(each.trusted_proxies for each in mounted_together(app)):
            kind, header = type(source).__name__, source.header
            raise explained(
                "bad-proxies",
                f"{kind} believes the {header} header, so any client could choose its user: list the proxies that set"
                f' it, App(trusted_proxies=["127.0.0.1"]), or write header_is_secret = True in {kind} if clients send a'
                " secret in it",
                RuntimeError,
            )

    def _has_credentials(self, request: Request) -> bool:
        return bool(self._sources_of(request))

    def _sources_of(self, request: Request) -> list[UserSource[U]]:
        """Return the sources for which a request has credentials."""
        with unwatched(request):  # a response does not depend on a user that is never read
            return [source for source, _ in self._given(request)]

    def _given(self, request: Request) -> list[tuple[UserSource[U], tuple[Any, ...]]]:
        """Return the sources for which the request has credentials, and those credentials."""
        found = [(source, source.credentials(request)) for source in self.sources if _may_send(request, source)]
        return [(source, given) for source, given in found if given is not None]

    def _to_check(self, request: Request) -> list[tuple[UserSource[U] | None, UserSource[U], tuple[Any, ...]]]:
        """Return the credentials of a request before they are checked, with their sources, and then the keys of those
        who act as the user, without.
        """
        self._ending.note_check(request)
        with unwatched(request):
            given = self._given(request)
            behind = [(None, source, (key,)) for source, _ in given for key in source._by(request)]
            return [*[(source, source, values) for source, values in given], *behind]

    def _load(self, request: Request) -> Any:
        given = self._to_check(request)
        found: list[Any] = [(of, ready(source.loader, source.loader(*values))) for of, source, values in given]
        return self._agreed(found)

    async def _aload(self, request: Request) -> Any:
        given = self._to_check(request)
        found: list[tuple[UserSource[U] | None, Any]] = []
        for of, source, values in given:
            user: Any = source.loader(*values)
            found.append((of, await user if isawaitable(user) else user))
        return self._agreed(found)

    def _agreed(self, found: list[tuple[UserSource[U] | None, U | None]]) -> "U | _TwoUsers | None":
        """Return the user that all credentials belong to; None if one who acts as the user is gone."""
        if any(source is None and is_nobody(user) for source, user in found):
            return None
        of_sources = [(source, user) for source, user in found if source is not None]
        users = [user for source, user in of_sources if not is_nobody(user) or not source._is_sent_by_itself]
        first = users[0] if users else None
        if first is None or any(map(is_nobody, users)):
            return None
        return first if all(self._are_same(first, user) for user in users) else _TwoUsers()

    def _are_same(self, user: U, other: U | None) -> bool:
        return other is not None and (user == other or self._key_of(user) == self._key_of(other) is not None)

    def _key_of(self, user: U) -> str | None:
        """Return a user's key, by which a source or the user's own ``id`` identifies the user; None if unknown."""
        return Identity.key_of(user, self._source_key(user))

    def _source_key(self, user: U) -> str | None:
        return next((key for source in self.sources if (key := source._key_of(user)) is not None), None)

    def _identify(self, request: Request) -> Iterator[Identity]:
        """Yield the users, or the credentials of users that have not been loaded, and a user that code has set."""
        user = RequestState(request).values.get(self._found)
        key = None if user is None or isinstance(user, _TwoUsers) else self._key_of(user)
        for source, given in self._given(request):
            is_secret = isinstance(user, str) and user == given[-1]  # the identity may be logged
            shown = Identity.of_credentials("user", user).id if is_secret else key  # type: ignore[arg-type]  # it is text
            if (found := source._identity(given, shown)) is not None:
                yield found
        chosen = RequestState(request).values.get(self._dependency)
        if chosen is not None and chosen is not user and (key := self._key_of(chosen)) is not None:
            yield Identity("provided user", key)

    def _read(self, request: Request) -> U | None:
        Reads.note(request, Reads.USER)
        given = self._sources_of(request)  # the use of the user is recorded
        for source in self.sources:
            if not given or source in given:
                source.note_use(request)
        user = request[self._found] if given else None
        self._ending.note_user(request, user)
        return user  # type: ignore[return-value]  # one source finds no two users

    def _read_of_several(self, request: Request) -> U | None:
        user: U | _TwoUsers | None = self._read(request)
        if isinstance(user, _TwoUsers):
            detail = "The credentials in this request belong to different users: send those of one user."
            raise Unauthorized(detail, challenge=self.challenges(request))
        return user

    def _read_required(self, request: Request) -> U:
        user = request[self._dependency]
        if user is None or is_nobody(user):
            self._refuse(request)
        return user

    def lacking(self, request: Request, scopes: Collection[str]) -> UserSource[U] | None:
        """Return the source whose credentials in a request lack some of these scopes; None if all have them."""
        user = request[self._dependency]
        for source in self._sources_of(request):
            found = source.scopes_of(request, user) if user is not None else ()
            if not source._is_sent_by_itself and not frozenset(found or ()).issuperset(scopes):
                return source
        return None

    def __security__(self, dependency: Dependency[Any] | None = None) -> tuple[tuple[UserSource[U], ...], bool]:
        """Return the sources, and True if reading a dependency refuses a request without a user."""
        return self.sources, dependency is self._required is not None

    def end(self, user: U, *, keep: Collection[str] = ()) -> dict[str, int | None]:
        """End everything of a user in all processes: sessions, API keys, refresh tokens, passkeys, runs, and what the
        ``__ends__`` of other sources and features yields, then streams and WebSockets that are open.

        Return how many there were of each kind; None for credentials that can't be ended here, which are also logged:
        ``revoke`` ends them. ``keep`` lists kinds that stay, by the names in that result, such as "API keys". Logins
        that have begun come too late. This calls the stores. Raises StoreUnavailable (503), which lists what has ended
        and what hasn't, TypeError for a user without a key or an id, and ValueError for a kind that is not known.
        """
        self._check_key("end", user)
        return self._ending.end(user, keep)

    def disconnect(self, user: U) -> None:
        """Close the streams and WebSockets that are open for a user in all processes, and render live blocks again:
        call this after a role or a tenant was taken away. Provisional.

        Logins stay, so clients may connect again, which checks their rights. This calls the stores. Raises
        StoreUnavailable (503), after which you can call it again, and TypeError for a user without a key or an id.
        """
        self._check_key("disconnect", user)
        self._ending.disconnect(user)

    def _check_key(self, method: str, user: U) -> None:
        if self._key_of(user) is None:
            reason = f"Users.{method}: a {type(user).__name__} has no `id` to recognize the user by"
            raise explained("user-without-key", reason, TypeError)

    def stored_key(self, user: U) -> str | None:
        """Return the key by which features hold what belongs to a user: that of a session, the id as text, or a user
        who is a text; None if there is none.
        """
        known = self._source_key(user)
        found = getattr(user, "id", user if isinstance(user, str) else None) if known is None else known
        return None if found is None else str(found)

    def become(self, request: Request, user: U | None, *, is_login: bool = False) -> None:
        """Set the request's user; None means an anonymous visitor. Unless that is the user's login, the request then
        makes no other credentials, and what it opens also ends with the user of its credentials.
        """
        RequestState(request).values.pop(Request.user, None)
        if self._required is not None:
            RequestState(request).values.pop(self._required, None)
        request[self._dependency] = user
        request[self._acts] = not is_login

    def require_login(self, request: Request, within: Duration = inf, *, own: bool = True) -> None:
        """Refuse a request whose user was found by anything but a login, such as an API key or a token: it makes no
        other credentials. ``within`` is the maximum time since the login, in seconds or a timedelta. Unless ``own`` is
        False, refuse a login by somebody who acts as the user, too.

        Raises Forbidden (403) and, if the login is too old, the same errors as ``login_required``.
        """
        given = self._sources_of(request)
        with unwatched(request):
            ages = [None if each.knows_scopes else each.login_age(request) for each in given]
            acts = own and (RequestState(request).values.get(self._acts) or any(each._by(request) for each in given))
        within, logins = seconds_of(within), [each for each in ages if each is not None]
        is_refused = acts or len(logins) < len(ages)
        if (is_refused or within < inf) and request[self._dependency] is None:
            return  # nobody
        if is_refused:
            detail = "Log in as yourself, without an API key or a token: only a login makes other credentials."
            raise Forbidden(detail)
        is_recent = within == inf or all(-CLOCKS_APART <= each <= within for each in logins or [inf])
        if not is_recent and not self._is_login_page(request):
            self._refuse(request, "Log in again: this needs a recent login.")

    def check(self, request: Request) -> None:
        """Raise the same errors as ``login_required`` for a request without a user: Redirect (303) or Unauthorized
        (401).
        """
        if is_nobody(request[self._dependency]) and not self._is_login_page(request):
            self._refuse(request)

    def _refuse(self, request: Request, reason: str | None = None) -> NoReturn:
        wants_page = request.accept.best(["application/json", "text/html"]) == "text/html"
        page = self._login_page(request) if wants_page else None
        if self._login is None or page is None or self._is_login_page(request):
            raise Unauthorized(reason or self._reason(request), challenge=self.challenges(request))
        way_back = _way_back(request)
        raise Redirect(page if way_back is None else f"{page}?{format_query({'next': way_back})}")

    def _reason(self, request: Request) -> str:
        """Return why a request has no user."""
        if request.head.field("authorization") is not None:
            return "The credentials in the Authorization header are not valid."
        header = next((source.header for source, _ in self._given(request) if source.header is not None), None)
        return "Log in first." if header is None else f"The credentials in the {header} header are not valid."

    def challenges(self, request: Request) -> list[Challenge]:
        """Return the challenges of all sources for a 401, or one with the scheme "Session" if there are none."""
        found = [challenge for source in self.sources if (challenge := source.challenge(request))]
        return found or [Challenge("Session", {"realm": "Restricted"})]

    def _is_login_page(self, request: Request) -> bool:
        """Return True for the path of the login page, with any method."""
        return self._login_page(request) == request.url.target.partition("?")[0]

    def _login_page(self, request: Request) -> str | None:
        """Return the path of the login page, whose parameters are those of the request; None if it lacks one."""
        for parameters in ({}, request.path_params) if self._login is not None else ():
            with suppress(ValueError, TypeError):
                return request.url_for(self._login or "", **parameters).partition("?")[0]
        return None


USERS: Dependency[Users[Any]] = RequestState.USERS
"""The feature that provides the users of an application, for functions that log them in."""


def sources_of(app: "App", kind: type[S]) -> list[S]:
    """Return the sources of one class in all ``Users`` of an application."""
    every = [source for each in app.features if isinstance(each, Users) for source in each.sources]
    return [source for source in every if isinstance(source, kind)]


@overload
def login_required(request: Request) -> None: ...
@overload
def login_required(*, within: Duration) -> Callable[[Request], None]: ...
def login_required(request: Request | None = None, *, within: Duration = inf) -> Callable[[Request], None] | None:
    """Refuse a request without a user: a hook for a route (``before=login_required``), a blueprint or an app.

    Browsers are redirected to the login page, if ``Users`` has one, with the return URL as ``next``. Other clients get
    a 401 with the challenges of all sources. The login page itself is never refused. ``login_required(within=600)`` is
    a hook for steps that need a login of the last ten minutes, by a person, in seconds or as a timedelta: it refuses
    API keys and tokens, too (403), and asks to log in again if the login is older. Raises RuntimeError, naming the fix,
    in an app without ``Users``, and TypeError if used as a decorator.
    """
    if request is None:
        return partial(_check_login, seconds_of(within))  # here, so that an error names the line
    check_no_decorator("login_required", request)
    request[USERS].check(request)
    return None


def _check_login(within: float, request: Request) -> None:
    request[USERS].check(request)
    request[USERS].require_login(request, within)


def check_maker(request: Request | None, within: Duration = inf, *, own: bool = True) -> None:
    """Refuse a request that must not make a credential, in any application that it has reached. Every step that makes
    one calls this first. Raises the errors of ``require_login``; outside of a request, nobody is refused.
    """
    for each in arrivals(request):
        for users in [feature for feature in getattr(each.app, "features", ()) if isinstance(feature, Users)]:
            users.require_login(each, within, own=own)


class ScopesRequired:
    """A hook that refuses credentials without certain scopes. Created by ``scopes_required``."""

    def __init__(self, scopes: tuple[str, ...]) -> None:
        self.__scopes__ = scopes

    def blocking_at(self, route: Any) -> bool:
        """Return False. Raises RuntimeError for a route whose users have credentials that know no scopes."""
        features = getattr(route.app, "features", ())
        for source in [source for each in features if isinstance(each, Users) for source in each.sources]:
            if not (source.knows_scopes or source._is_sent_by_itself):
                kind = type(source).__name__
                raise explained(
                    "missing-feature",
                    f"{route.where} requires scopes, but the credentials of {kind} have none, so they would all be"
                    f" refused: {kind}(find_user, scopes=lambda user: user.scopes)",
                    RuntimeError,
                )
        return False

    def __call__(self, request: Request) -> None:
        """Raise Unauthorized (401) if there is no user, and Forbidden (403) if a scope is missing."""
        check_no_decorator("scopes_required", request)
        users = request[USERS]
        users.check(request)
        source = users.lacking(request, self.__scopes__)
        if source is not None:
            challenge = source.needs(request, self.__scopes__)
            fields = {} if challenge is None else {"www-authenticate": str(challenge)}
            raise Forbidden(f"This requires credentials with the scopes {' '.join(self.__scopes__)}.", headers=fields)


def scopes_required(*scopes: str) -> Callable[[Request], None]:
    """Return a hook that refuses credentials without these scopes: ``before=scopes_required("lamps:write")``.
    Provisional.

    All credentials of a request need them: access tokens, API keys, and those of a source with ``scopes``. Clients are
    told which scopes to request (403), and clients without credentials to log in (401). People who are logged in to a
    session are not restricted. Raises ValueError if no scopes are given and, when the app starts, RuntimeError if a
    source of its users knows no scopes.
    """
    if not scopes or not all(isinstance(each, str) and each for each in scopes):
        raise explained("bad-feature-option", f"scopes_required needs the names of scopes, not {scopes!r}")
    return ScopesRequired(scopes)


def read_token_part(part: str) -> dict[str, Any]:
    """Return the header or the claims of a token, which nobody has verified; empty for anything else."""
    import json
    from base64 import urlsafe_b64decode

    try:
        found = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def is_same_secret(given: str | bytes | None, known: str | bytes) -> bool:
    """Return True if two secrets are equal, in a time that does not reveal where they differ. Returns False if either
    is None.
    """
    return given is not None and compare_digest(_digest(given), _digest(known))


def _digest(secret: str | bytes) -> bytes:
    return sha256(secret.encode("utf-8", "surrogatepass") if isinstance(secret, str) else secret).digest()


def _may_send(request: Request, source: UserSource[Any]) -> bool:
    """Return False for a header that proxies set, in a request that may have it from the client instead."""
    return source.header is None or source.header_is_secret or TrustedProxies.have_sent(request.head)


def _nobody(request: Request) -> None:  # noqa: ARG001
    return None


def _way_back(request: Request) -> str | None:
    """Return the requested URL, or None if it can't be requested again by following a redirect."""
    target = request.url.target
    return target if request.method in ("GET", "HEAD") and len(target) <= _LONGEST_NEXT else None
