"""Passkeys (WebAuthn), as a source of users: a key in the user's device logs in, and the session keeps the login.

app.use(Sessions(store))
app.use(Users(PasskeyLogin(find_user, host="shop.example.com", find=find_passkey, save=save_passkey)))
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from secrets import token_bytes
from typing import Any, TypeVar, overload

from antiphon import App, Request, Response, explained
from antiphon.embedding import (
    Crossing,
    FeatureStore,
    check_arguments,
    errors_name_it,
    is_async,
    missing_package,
    seconds_of,
)
from antiphon.features import Store
from antiphon.features.ending import Kinds, by_key
from antiphon.features.ends import BEGUN, refuse_if_late
from antiphon.features.logins import SessionLogin, _id_of, login, logout
from antiphon.features.users import check_maker
from antiphon.http import Conflict, Forbidden, Unauthorized, UnprocessableContent
from antiphon.types import Duration

U = TypeVar("U")
T = TypeVar("T")

SCRIPT = Path(__file__).with_suffix(".js").read_bytes()

_KEPT = "__passkey"
"""The name of the challenge in the session, with what it is for. It ends with the session's key."""
_CHALLENGE_TIME = 600
"""The number of seconds in which a device must sign a challenge (WebAuthn §15.1 recommends 5 to 10 minutes)."""
_LONGEST_ID = 1364
"""The maximum number of characters of an id: base64url of 1023 bytes (WebAuthn §4)."""
_LONGEST_NAME = 64
"""The maximum number of characters of a user's name (WebAuthn §6.4.1: authenticators may truncate longer ones)."""


@dataclass(frozen=True, slots=True)
class Passkey:
    """A passkey as an application stores it. ``id`` is unique; ``owner`` is the key of its user, as text.

    ``sign_count`` increases with each use on some devices. All fields are public, none is a secret.
    """

    id: str
    owner: str
    public_key: bytes
    sign_count: int


@errors_name_it
class PasskeyLogin(SessionLogin[U]):
    """Logins with passkeys, kept in the visitor's session as by ``SessionLogin``, which it replaces.

        passkeys = PasskeyLogin(load_user, host="shop.example.com", find=find_passkey, save=save_passkey)

    ``find`` returns the ``Passkey`` with an id, or None. ``save`` stores a passkey, which replaces the one with its id:
    it is called for each new passkey and after each login. ``sign_up`` makes a user with a name; without it, only users
    who are logged in can register passkeys. All three may be async; otherwise they run on a thread. ``delete`` is a
    ``def`` function that deletes all passkeys of an owner and returns how many there were, for ``Users.end``.
    """

    @overload  # separate, since a type checker finds no U in a union of the two
    def __init__(
        self,
        loader: Callable[[str], Awaitable[U | None]],
        *,
        host: str,
        find: Callable[[str], Passkey | Awaitable[Passkey | None] | None],
        save: Callable[[Passkey], Any],
        sign_up: Callable[[str], U | Awaitable[U]] | None = ...,
        delete: Callable[[str], int | None] | None = ...,
        within: Duration = ...,
        origin: str | None = ...,
        path: str = ...,
        key: Callable[[U], str] = ...,
    ) -> None: ...
    @overload
    def __init__(
        self,
        loader: Callable[[str], U | None],
        *,
        host: str,
        find: Callable[[str], Passkey | Awaitable[Passkey | None] | None],
        save: Callable[[Passkey], Any],
        sign_up: Callable[[str], U | Awaitable[U]] | None = ...,
        delete: Callable[[str], int | None] | None = ...,
        within: Duration = ...,
        origin: str | None = ...,
        path: str = ...,
        key: Callable[[U], str] = ...,
    ) -> None: ...
    def __init__(
        self,
        loader: Callable[[str], Any],
        *,
        host: str,
        find: Callable[[str], Passkey | Awaitable[Passkey | None] | None],
        save: Callable[[Passkey], Any],
        sign_up: Callable[[str], U | Awaitable[U]] | None = None,
        delete: Callable[[str], int | None] | None = None,
        within: Duration = 900.0,
        origin: str | None = None,
        path: str = "/passkeys",
        key: Callable[[U], str] = _id_of,
    ) -> None:
        """A user adds a passkey within ``within`` seconds, or a timedelta, of the login, and never with an API key or a
        token.

        ``host`` is the host to which passkeys belong, which a browser checks, and ``origin`` is what its address bar
        shows, by default "https://" and the host. A page loads ``<path>/script.js``, and then calls
        ``passkeys.register(name)`` and ``passkeys.signIn()``, which reject with the reason. This needs the extra
        "passkeys". Raises ValueError for anything but a host.
        """
        super().__init__(loader, key=key)
        try:
            import webauthn  # noqa: F401
        except ModuleNotFoundError as error:
            raise missing_package(error, "passkeys") from None
        if not host or any(each in host for each in "/: "):
            raise explained("bad-feature-option", f"host must be a host without a port, not {host!r}")
        self._host = host
        self._origin = f"https://{host}" if origin is None else origin
        if delete is not None:
            check_arguments(delete, "owner", sync="delete")
        self._find, self._save, self._sign_up, self._delete = find, save, sign_up, delete
        self._within = seconds_of(within)
        self._path = path

    def install(self, app: App) -> None:
        """Register the routes that the script calls.

        Raises the same errors as ``SessionLogin``, and ValueError without a store on the server, which knows the
        challenges that were used.
        """
        super().install(app)
        self._store_of(app)
        app.get(f"{self._path}/script.js", name="passkeys_script")(self._serve_script)
        app.post(f"{self._path}/register", name="passkeys_register", csrf_exempt=True)(self._register)
        app.post(f"{self._path}/sign-in", name="passkeys_sign_in", csrf_exempt=True)(self._log_in)

    def _store_of(self, app: App) -> Store:
        """Return the store of the sessions or, if clients keep these, the application's."""
        kept = self._kept_in(app)
        own = app.store if kept is None else kept[0]
        if own is None or not own.is_server_side:
            raise explained(
                "store-cannot",
                "PasskeyLogin must remember on the server which challenges were used, and the sessions are kept by"
                " clients: give the app a store, App(store=...), or Sessions one of"
                f" {Store.ON_SERVER}",
            )
        return own

    def _serve_script(self, request: Request) -> Response:  # noqa: ARG002
        headers = {"cache-control": "no-cache", "x-content-type-options": "nosniff"}
        response = Response(SCRIPT, 200, headers, content_type="text/javascript; charset=utf-8")
        response.add_etag()
        response.is_conditional = True
        return response

    async def _register(self, request: Request) -> Any:
        """Return the options of a new passkey, or check the passkey that a browser has made and log its user in."""
        from webauthn.helpers import bytes_to_base64url

        sent = _object(request)
        user = request.user
        if user is None and self._sign_up is None:
            raise Unauthorized("Log in first.")
        if user is not None:
            check_maker(request, self._within)
        owner = None if user is None else self.key_of(user)
        if "rawId" not in sent:
            return self._creation(request, _name(sent), owner)
        kept = await self._take(request, "register", owner)
        made = self._checked_registration(sent, kept["challenge"])
        name = bytes_to_base64url(made.credential_id)
        if await _call(self._find, name) is not None:
            raise Conflict("This passkey is registered.")
        if user is None:
            user = await _call(self._sign_up, kept["name"])
        owner = self.key_of(user)
        await _call(refuse_if_late, owner, _keep, BEGUN)
        await _call(self._save, Passkey(name, owner, made.credential_public_key, made.sign_count))
        await _call(refuse_if_late, owner, partial(self._delete or _keep, owner), BEGUN)
        if kept.get("owner") is None:
            login(request, user)
        return {"id": name}

    async def _log_in(self, request: Request) -> Any:
        """Return the options of a login, or check what a passkey has signed and log its user in."""
        sent = _object(request)
        if "rawId" not in sent:
            from webauthn import generate_authentication_options
            from webauthn.helpers.structs import UserVerificationRequirement

            required = UserVerificationRequirement.REQUIRED
            options = generate_authentication_options(rp_id=self._host, user_verification=required)
            return self._keep(request, options, use="sign in")
        kept, name = await self._take(request, "sign in"), sent["rawId"]
        is_id = isinstance(name, str) and len(name) <= _LONGEST_ID
        passkey = await _call(self._find, name) if is_id else None
        if passkey is None:
            raise Forbidden(_REFUSED)
        count = self._checked_signature(sent, kept["challenge"], passkey)
        user = await _call(self.loader, passkey.owner)
        if user is None:
            raise Forbidden(_REFUSED)
        if count != passkey.sign_count:
            await _call(self._save, replace(passkey, sign_count=count))
        if self.credentials(request) not in (None, (passkey.owner,)):
            logout(request)  # nobody else acts as this user
        login(request, user)
        return {"id": passkey.id}

    def __ends__(self, user: Any, key: str | None) -> Kinds:
        return [*super().__ends__(user, key), *by_key("passkeys", key, self._delete)]

    def _creation(self, request: Request, name: str, owner: str | None) -> dict[str, Any]:
        from webauthn import generate_registration_options
        from webauthn.helpers.structs import (
            AuthenticatorSelectionCriteria,
            ResidentKeyRequirement,
            UserVerificationRequirement,
        )

        options = generate_registration_options(
            rp_id=self._host,
            rp_name=self._host,
            user_id=token_bytes(32) if owner is None else sha256(owner.encode()).digest(),
            user_name=name,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
            ),
        )
        return self._keep(request, options, use="register", name=name, owner=owner)

    def _keep(self, request: Request, options: Any, **others: str | None) -> dict[str, Any]:
        """Keep the challenge of options in the session, and return the options as JSON."""
        from webauthn import options_to_json

        sent: dict[str, Any] = json.loads(options_to_json(options))
        until = self._store_of(request.app).clock() + _CHALLENGE_TIME
        request.session[_KEPT] = {"challenge": sent["challenge"], "until": until, **others}
        return sent

    async def _take(self, request: Request, use: str, owner: str | None = None) -> dict[str, Any]:
        """Return what was kept for this use and user. A challenge counts once, also in copies of the request or of the
        session. Raises Forbidden.
        """
        kept: dict[str, Any] | None = request.session.pop(_KEPT, None)
        if kept is not None and (kept["use"], kept.get("owner")) == (use, owner):
            store, until = self._store_of(request.app), kept.get("until", 0.0)
            is_new = partial(
                FeatureStore.spend, store, "passkey", now=store.clock(), until=until, longest=_CHALLENGE_TIME
            )
            if await _call(is_new, kept["challenge"]):
                return kept
        raise Forbidden("There is no challenge, or it was used. Begin again.")

    def _checked_registration(self, sent: dict[str, Any], challenge: str) -> Any:
        from webauthn import base64url_to_bytes, verify_registration_response

        try:
            return verify_registration_response(
                credential=sent,
                expected_challenge=base64url_to_bytes(challenge),
                expected_rp_id=self._host,
                expected_origin=self._origin,
                require_user_verification=True,
            )
        except _errors():
            raise Forbidden("This passkey can't be registered.") from None

    def _checked_signature(self, sent: dict[str, Any], challenge: str, passkey: Passkey) -> int:
        """Return how often the device has used the key. Raises Forbidden for any other key, and for a lower count."""
        from webauthn import base64url_to_bytes, verify_authentication_response

        try:
            return verify_authentication_response(
                credential=sent,
                expected_challenge=base64url_to_bytes(challenge),
                expected_rp_id=self._host,
                expected_origin=self._origin,
                credential_public_key=passkey.public_key,
                credential_current_sign_count=passkey.sign_count,
                require_user_verification=True,
            ).new_sign_count
        except _errors():
            raise Forbidden(_REFUSED) from None


def _keep(*_: object) -> None:
    """Leave a passkey that is stored, since nothing can delete it, or that is not stored yet."""


_REFUSED = "This passkey is not known here, or its signature is wrong."


def _errors() -> tuple[type[Exception], ...]:
    """Return the errors that the package raises for malformed passkeys."""
    from webauthn.helpers.exceptions import WebAuthnException

    return (WebAuthnException, AttributeError, LookupError, TypeError, ValueError)


def _object(request: Request) -> dict[str, Any]:
    sent = request.json
    if not isinstance(sent, dict):
        raise UnprocessableContent("The body must be a JSON object.")
    return sent


def _name(sent: dict[str, Any]) -> str:
    name = sent.get("name")
    if not isinstance(name, str) or not 1 <= len(name) <= _LONGEST_NAME or not name.isprintable():
        raise UnprocessableContent(f"The name must be text of 1 to {_LONGEST_NAME} printable characters.")
    return name


async def _call(function: Any, *arguments: Any) -> Any:
    return await function(*arguments) if is_async(function) else await Crossing().run(function, *arguments)
