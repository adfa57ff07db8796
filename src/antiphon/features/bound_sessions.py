"""Sessions bound to the device: a key that the browser keeps proves again and again that it is the same browser.

This is the server's side of Device Bound Session Credentials (https://w3c.github.io/webappsec-dbsc). A session's
binding is kept among its data, under ``BOUND``:

- absent: nobody has logged in.
- ``{secret}``: somebody has logged in, and the response offered a registration, signed with the secret. A browser that
  doesn't know the protocol ignores it, and the session stays as it is.
- ``{secret, id, key, since}``: the browser has registered its public key. From ``bound`` seconds later, a request has
  the session only if it also has a short-lived cookie, signed with the secret; a proof by the key renews it.

A browser names its session by a challenge or the binding's id. The store keeps the session's key sealed under that
name, and the id sealed under the session's key, so that a reader of the store can't use the session.
"""

import time
from collections.abc import Callable, Mapping
from hmac import compare_digest, digest
from math import ceil
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from antiphon import Dependency, Request, Response
from antiphon.embedding import FeatureStore, check_no_decorator, check_numbers, missing_package, quoted_paths, unwatched
from antiphon.features import Store, StoreEntry
from antiphon.features.proofs import ALGORITHMS, read_proof
from antiphon.features.seal import Seal
from antiphon.features.tracked_session import BOUND, TrackedSession, end_of
from antiphon.http import Forbidden, InnerList, Item, NotFound, SetCookie, Token
from antiphon.types import SecretKeys

if TYPE_CHECKING:
    from antiphon import App


PATH = "/bound-session"
"""The path at which browsers register their keys and renew their cookies."""

PROBLEM_TYPE = "urn:antiphon:problem:session-not-bound"
"""The ``type`` in the problem details of a refusal by ``bound_required`` (RFC 9457 §3.1.1)."""
_TITLE = "Session not bound"

_pointer = FeatureStore.declare("bound session", until="major", unreadable="refused", format=2)
"""Make the key of an entry that names a session's, by a challenge or the id of a binding."""

_CHALLENGE_TIME = 120
"""The number of seconds in which a browser must sign a challenge. A slow security chip needs several."""
_SKEW = 60
"""The number of seconds by which the clocks of two servers may differ. A clock set back further revives nothing."""
_COOKIE_TIME = 0.9
"""The fraction of ``bound`` after which browsers drop the cookie: before the server does, as a request takes time."""


class Binding:
    """How the sessions of an application are bound, with their cookie's attributes. ``fresh`` is in seconds."""

    def __init__(self, fresh: float, samesite: Literal["Lax", "Strict", "None"]) -> None:
        check_numbers(1, bound=fresh)
        try:
            import joserfc  # noqa: F401
        except ModuleNotFoundError as error:
            raise missing_package(error, "oauth") from None
        self.fresh = fresh
        self._samesite = samesite
        self.clock: Callable[[], float] = time.time

    def keep_in(self, store: Store) -> None:
        """Use the store of the sessions. Raises ValueError if clients keep its entries."""
        FeatureStore.check("Sessions(bound=...)", store)
        self.clock = store.clock

    def install(self, app: "App", bind: Callable[[Request], Response]) -> None:
        """Register the route through which browsers bind a session, and provide the binding."""
        app.provide(BINDING, lambda request: self)  # noqa: ARG005
        app.post(PATH, name="bound_session", unguarded=True, csrf_exempt=True)(bind)

    def names(self, session_cookie: str) -> tuple[str, ...]:
        """Return the names of a session's cookies."""
        return session_cookie, name_of(session_cookie)

    def look_at(self, session: TrackedSession, request: Request, session_cookie: str) -> bool:
        """Note whether a browser has proven that a session is its own. Return False for a session of another device, or
        one whose proof is too old.
        """
        binding = _binding_of(session.entry)
        if "key" not in binding:
            return True
        now, proof = self.clock(), _proof_in(request, session_cookie)
        session.is_bound = proof is not None and _is_sealed(binding["secret"], "cookie", proof, now, self.fresh)
        return session.is_bound or -_SKEW <= now - binding["since"] < self.fresh  # requests that were under way

    def drop(self, request: Request, response: Response, session_cookie: str) -> None:
        """Delete the browser's cookie if it has one, so that it renews it before its next request."""
        if _proof_in(request, session_cookie) is not None:
            response.headers.add("set-cookie", str(self._cookie(request, session_cookie)))

    def prepare(self, session: TrackedSession, entry: StoreEntry, store: Store, *, ttl: float) -> None:
        """Let a browser find a session by its challenge, after a login, or by the binding's id, if the session has a
        new key. This calls the store.
        """
        binding = _binding_of(entry)
        if "key" in binding:
            if session.rotates and session.entry and (name := _opened(binding["id"], session.entry.key)):
                store.change(entry.key, {BOUND: {**binding, "id": _sealed(name, entry.key)}}, ttl=ttl, create=False)
                store.change(_pointer(name), {"session": _sealed(entry.key, name)}, ttl=ttl)
        elif "secret" in binding and session.owner is not None:
            session.challenge = self._challenge(binding)
            pointer = {"session": _sealed(entry.key, session.challenge)}
            store.add(_pointer(session.challenge), pointer, ttl=_CHALLENGE_TIME + _SKEW)

    def respond(
        self, request: Request, store: Store, session_cookie: str, current: StoreEntry | None, lifetime: float
    ) -> Response:
        """Register a browser's key, or renew its cookie.

        The session is found without its cookie, which browsers don't send here if a link on another site led to the
        request. If they do, and it is that of another session, the browser has logged in again: it gives up the key
        of the earlier session, since both have one short-lived cookie (404). Raises Forbidden for any other key; a
        proof of no current challenge is refused with a new challenge.
        """
        sent, named = _bare(request, "secure-session-response"), _bare(request, "sec-secure-session-id")
        if named is None:
            binding, named = self._register(sent, store, lifetime)
        else:
            entry = _session_of(named, store)
            binding = _binding_of(entry)
            if (
                entry is None
                or _opened(binding.get("id"), entry.key) != named
                or (current is not None and current.key != entry.key)
            ):
                raise NotFound("There is no such session.")
            if not sent or not self._spend(binding, _read_proof(sent, binding["key"])[1], store):
                challenge = Item(self._challenge(binding), {"id": named})
                return Response("", 403, headers={"secure-session-challenge": str(challenge), **_OF_ONE_BROWSER})
        return self._instructions(request, binding, named, session_cookie)

    def _register(self, sent: str | None, store: Store, lifetime: float) -> tuple[dict[str, Any], str]:
        """Return the new binding, and its id."""
        key, challenge = _read_proof(sent, None)
        entry = _session_of(challenge, store)
        known = _binding_of(entry)
        if entry is None or "secret" not in known or "key" in known or not self._spend(known, challenge, store):
            _refuse("The registration is for no current challenge.")
        now = self.clock()
        left = end_of(entry, lifetime) - now
        name = token_urlsafe(16)
        binding = {**known, "id": _sealed(name, entry.key), "key": key, "since": now}
        ttl = min(entry.expires - now, left)
        if ttl <= 0 or store.change(entry.key, {BOUND: binding}, ttl=ttl, create=False) is None:
            _refuse("The session has ended.")
        store.add(_pointer(name), {"session": _sealed(entry.key, name)}, ttl=left)
        return binding, name

    def _challenge(self, binding: Mapping[str, Any]) -> str:
        return _seal(binding["secret"], "challenge", self.clock() + _CHALLENGE_TIME)

    def _spend(self, binding: Mapping[str, Any], challenge: str, store: Store) -> bool:
        """Return True for a current challenge that no process has accepted before."""
        now = self.clock()
        if not _is_sealed(binding["secret"], "challenge", challenge, now, _CHALLENGE_TIME):
            return False
        until = int(challenge.partition(".")[0])
        return FeatureStore.spend(store, "bound session", challenge, now=now, until=until, longest=_CHALLENGE_TIME)

    def _instructions(self, request: Request, binding: Mapping[str, Any], name: str, session_cookie: str) -> Response:
        value = _seal(binding["secret"], "cookie", self.clock() + self.fresh)
        cookie = self._cookie(request, session_cookie, value, max(int(_COOKIE_TIME * self.fresh), 1))
        attributes = str(cookie._replace(max_age=None)).partition("; ")[2]
        content = {
            "session_identifier": name,
            "refresh_url": PATH[1:],
            "scope": {"include_site": False},
            "credentials": [{"type": "cookie", "name": cookie.name, "attributes": attributes}],
            "allowed_refresh_initiators": ["*"],  # else those who follow a link on another site are logged out
        }
        return Response.json(content, headers={"set-cookie": str(cookie), **_OF_ONE_BROWSER})

    def _cookie(self, request: Request, session_cookie: str, value: str = "", age: int = 0) -> SetCookie:
        """Return the short-lived cookie beside a session's. By default, it deletes the browser's."""
        secure = request.is_secure or session_cookie.startswith("__")
        name = name_of(session_cookie)
        return SetCookie(name, value, max_age=age, secure=secure, httponly=True, samesite=self._samesite)


class _Unbound(Binding):
    fresh = 0.0

    def __init__(self) -> None: ...

    def keep_in(self, store: Store) -> None: ...

    def install(self, app: "App", bind: Callable[[Request], Response]) -> None: ...

    def look_at(self, session: TrackedSession, request: Request, session_cookie: str) -> bool:  # noqa: ARG002
        return True

    def drop(self, request: Request, response: Response, session_cookie: str) -> None: ...

    def prepare(self, session: TrackedSession, entry: StoreEntry, store: Store, *, ttl: float) -> None: ...

    def names(self, session_cookie: str) -> tuple[str, ...]:
        return (session_cookie,)


UNBOUND: Binding = _Unbound()
"""How sessions are bound without ``bound``: browsers have nothing to prove."""

_OF_ONE_BROWSER = {"cache-control": "no-store", "cross-origin-resource-policy": "same-origin"}

BINDING = Dependency[Binding]("bound sessions", fix="app.use(Sessions(store, bound=300))")
"""How the sessions of an application are bound, if they are."""


def bound_required(request: Request) -> None:
    """Refuse a request unless its session is bound to the browser's device: a hook, ``before=bound_required``.

    Browsers without Device Bound Session Credentials are always refused. Other browsers are refused until they have
    registered their keys, which they do at once after the login. Raises Forbidden (403); RuntimeError, naming the fix,
    in an app without ``Sessions(bound=...)``; and TypeError if used as a decorator.
    """
    check_no_decorator("bound_required", request)
    request[BINDING]
    session = request.session
    if session.is_new or not isinstance(session, TrackedSession) or not session.is_bound:
        detail = "This needs a session that is bound to this device. Log in with a browser that can bind sessions."
        raise Forbidden(detail, type=PROBLEM_TYPE, title=_TITLE)  # here, where the document finds it


def name_of(session_cookie: str) -> str:
    """Return the name of the short-lived cookie beside a session's."""
    return f"{session_cookie}-bound"


def offer(request: Request, response: Response, challenge: str) -> None:
    """Offer a registration to the browser."""
    path = quoted_paths(request.head)[0] + PATH
    offered = InnerList(map(Token, ALGORITHMS), {"path": path, "challenge": challenge})
    response.headers["secure-session-registration"] = str(offered)


def _session_of(name: str, store: Store) -> StoreEntry | None:
    pointer = store.load(_pointer(name))
    key = None if pointer is None else _opened(pointer.data["session"], name)
    return None if key is None else store.load(key)


def _sealed(text: str, key: str) -> bytes:
    """Return a text that only those can read who have the key, which the store doesn't."""
    return _seal_under(key).close(text.encode(), "")


def _opened(sealed: object, key: str) -> str | None:
    """Return a sealed text, or None for another key. Earlier versions kept the text as it is."""
    if not isinstance(sealed, bytes):
        return sealed if isinstance(sealed, str) else None
    found = _seal_under(key).open(sealed, "")
    return None if found is None else found.decode()


def _seal_under(key: str) -> Seal:
    return Seal(SecretKeys([key]), b"antiphon bound sessions")


def _proof_in(request: Request, session_cookie: str) -> str | None:
    with unwatched(request):  # like the session's cookie
        return request.cookies.get(name_of(session_cookie))


def _refuse(detail: str) -> NoReturn:
    raise Forbidden(detail, type=PROBLEM_TYPE, title=_TITLE)


def _binding_of(entry: StoreEntry | None) -> dict[str, Any]:
    found = None if entry is None else entry.data.get(BOUND)
    return found if isinstance(found, dict) else {}


def _bare(request: Request, name: str) -> str | None:
    """Return a field that is a string. Chromium sends it without the quotes of a structured field."""
    found = request.headers.get(name)
    return None if found is None else found.partition(";")[0].strip().strip('"')


def _seal(secret: str, purpose: str, until: float) -> str:
    """Return a text that nobody can make without the secret, and that is valid until then."""
    text = f"{ceil(until)}.{token_urlsafe(16)}"
    return f"{text}.{_mac(secret, purpose, text)}"


def _is_sealed(secret: str, purpose: str, sealed: str, now: float, longest: float) -> bool:
    """Return True for a valid text, which is valid for ``longest`` seconds at most, even if a clock was set back."""
    text, _, mac = sealed.rpartition(".")
    if not compare_digest(_mac(secret, purpose, text).encode(), mac.encode("utf-8", "surrogatepass")):
        return False
    return now < int(text.partition(".")[0]) <= now + longest + _SKEW


def _mac(secret: str, purpose: str, text: str) -> str:
    return digest(secret.encode(), f"{purpose} {text}".encode("utf-8", "surrogatepass"), "sha256").hex()


def _read_proof(sent: str | None, key: dict[str, str] | None) -> tuple[dict[str, str], str]:
    """Return the key by which a proof is signed, and the challenge. The key of a registration is in the proof itself.

    Raises Forbidden for anything that isn't signed by the key.
    """
    found = read_proof(sent, "dbsc+jwt", key)
    if found is None or not isinstance(challenge := found[1].get("jti"), str):
        _refuse("The proof is malformed, or it is not signed by the session's key.")
    return found[0], challenge
