"""Logins under Asok's names, stored by the native feature. The project's model or function finds the users."""

from collections.abc import Callable, Iterable
from importlib import import_module
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import quote

from antiphon import Request as NativeRequest
from antiphon.dialects.asok.exceptions import RedirectException, UnauthorizedError
from antiphon.dialects.asok.session import flash, id_of, is_waiting, with_messages
from antiphon.embedding import is_async
from antiphon.features import SessionLogin, Users
from antiphon.features import login as native_login
from antiphon.features import logout as native_logout
from antiphon.http.redirect import redirect_location
from antiphon.types import Caller

if TYPE_CHECKING:
    from antiphon import App
    from antiphon.dialects.asok.app import Asok
    from antiphon.dialects.asok.request_state import RequestState

MOST_FAILURES = 5
"""The maximum number of wrong passwords that one address may send within ``FORGOTTEN_AFTER`` seconds."""
FORGOTTEN_AFTER = 15 * 60.0
"""The period in seconds."""
MOST_FAILURES_OF_ACCOUNT = 20
"""The maximum number of wrong passwords for one user, from all addresses, in ``FORGOTTEN_FOR_ACCOUNT_AFTER`` seconds.

This limit is higher than the one for an address, because anyone can exhaust it and thereby lock out the user."""
FORGOTTEN_FOR_ACCOUNT_AFTER = 60 * 60.0
"""The period in seconds."""


def install_users(native: "App", app: "Asok") -> None:
    """Make an application look up the users who are logged in to its sessions."""
    native.use(Users(SessionLogin(_loader(app))))


def _loader(app: "Asok") -> Callable[[str], Any]:
    """Return the function that finds a user by the key in a session: the project's own, or a lookup in its model."""
    find = app.find_user
    if find is None:
        return lambda key: _find_in_model(app, key)
    if not is_async(find):
        return lambda key: find(id_of(key))

    async def find_async(key: str) -> Any:
        return await find(id_of(key))

    return find_async


def _find_in_model(app: "Asok", key: str) -> Any:
    model = model_of(app)
    return None if model is None else model.find(id=id_of(key))


def model_of(app: "Asok") -> Any:
    """Return the user model: the AUTH_MODEL setting, which is a class or its name, such as "models.user:User".

    Returns None for a name without a module, such as "User". Raises ImportError or AttributeError if the name does not
    exist.
    """
    model = app.config["AUTH_MODEL"]
    if not isinstance(model, str):
        return model
    module, _, name = model.partition(":")
    return getattr(import_module(module), name) if name else None


def user_of(request: "RequestState") -> Any:
    """Return the logged-in user, or None."""
    app = request.app
    if app.find_user is None and model_of(app) is None and NativeRequest.user not in request.native:
        return None
    return request.native.user


def set_user(request: "RequestState", user: Any) -> None:
    request.native.user = user


def login(request: "RequestState", user: Any, remember: bool = False) -> None:  # noqa: ARG001 - sessions have one lifetime
    """Log a user in: the session is assigned to the user and gets a new key.

    The session keeps its data, unless the data belonged to another user.

    Check the password first. ``remember`` has no effect: a session ends SESSION_TTL seconds after its last use.
    """
    native_login(request.native, user)


def logout(request: "RequestState") -> None:
    """Log the user out and end the session. Its data is deleted, except for messages waiting for the next page."""
    native = request.native
    with_messages(native.session, lambda: native_logout(native))


def has_role(request: "RequestState", *roles: str) -> bool:
    """Return True if the user has any of the roles, which ``user.roles`` or ``user.role`` lists."""
    return not roles_of(user_of(request)).isdisjoint(roles)


def roles_of(user: Any) -> set[str]:
    """Return a user's roles, or an empty set for an anonymous visitor."""
    roles: str | Iterable[str] = getattr(user, "roles", None) or getattr(user, "role", None) or ()
    return {role.strip() for role in roles.split(",")} if isinstance(roles, str) else set(roles)


def require_role(request: "RequestState", *roles: str, redirect_url: str = "/") -> None:
    """Redirect a request whose user has none of the roles. Raises RedirectException."""
    if not has_role(request, *roles):
        raise RedirectException(redirect_location(redirect_url, external=False, otherwise="/"))


def login_required(request: "RequestState") -> None:
    """Refuse a request without a user, and flash a message for the next page. Raises UnauthorizedError (401)."""
    if not user_of(request):
        _say_why(request)
        raise UnauthorizedError


def require_auth(request: "RequestState", redirect_url: str = "/login") -> None:
    """Redirect a request without a user to the login page, with the return path as ``next``.

    Raises RedirectException.
    """
    if user_of(request) is None:
        _say_why(request)
        _redirect_to_login(request, redirect_url)


def _redirect_to_login(request: "RequestState", url: str) -> NoReturn:
    back = quote(redirect_location(request.native.url.target, external=False, otherwise="/"), safe="/?=")
    raise RedirectException(f"{url}{'&' if '?' in url else '?'}next={back}")


def _say_why(request: "RequestState") -> None:
    message = request.app.config["LOGIN_MESSAGE"]
    if message and not is_waiting(request, "info", message):
        flash(request, "info", message)


def authenticate(request: "RequestState", password_field: str = "password", **credentials: Any) -> Any:  # noqa: S107
    """Find a user by credentials in the model, and log the user in if the password is right. Return the user or None.

    The model must have ``find(**credentials)``, and its users must have ``check_password(field, password)``. Raises
    ValueError if there is no model.

    After five failures within 15 minutes, an address always gets None. After 20 failures for one user within an hour,
    every address does. A login does not reset these counts.
    """
    model = model_of(request.app)
    if model is None:
        raise ValueError(
            'no user model: set app.config["AUTH_MODEL"] = User, a class with find(**credentials), whose users have'
            " check_password(field, password)"
        )
    password = credentials.pop(password_field, None)
    if not (password and credentials):
        return None
    by_address = _failures_by_address(request)
    if by_address(1) > MOST_FAILURES:  # counted before the password is checked, so that concurrent guesses count too
        return None
    user = model.find(**credentials)
    if not user:
        return None
    by_account = _failures(request, f"account {user.id}", FORGOTTEN_FOR_ACCOUNT_AFTER)
    if by_account(1) > MOST_FAILURES_OF_ACCOUNT or not user.check_password(password_field, password):
        return None
    by_address(-1)
    by_account(-1)
    login(request, user)
    return user


def _failures_by_address(request: "RequestState") -> Callable[[int], int]:
    """Return the function that counts a failure for the client's address and returns the total.

    The total is 0 if the server provides no address: with one counter for all clients, one client could lock out the
    rest.
    """
    address = request.native.ip
    if address is None:
        request.app.advice.give(
            "Counting wrong passwords for a client without an address",
            'app.config["TRUSTED_PROXIES"] = [...], or a server that reports client addresses',
        )
        return lambda _by: 0
    return _failures(request, Caller.network_of(address), FORGOTTEN_AFTER)


def _failures(request: "RequestState", of: str, ttl: float) -> Callable[[int], int]:
    store, key = request.app.session_store.native, f"authenticate\n{of}"
    return lambda by: store.increment(key, ttl=ttl, by=by).value
