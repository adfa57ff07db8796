"""Refresh tokens: each is used once, for the next one, and a stolen one ends the login that it belongs to.

tokens = app.use(RefreshTokens())

| state of a login's entry | a token is presented | what follows |
|---|---|---|
| ``current`` is the token's hash | the newest one | its successor's hash is written, by one of several processes |
| ``current`` is its successor's hash | it was used within ``grace``, and its successor was not | the successor again |
| ``current`` is another | it was used before, by a thief or by the owner | the entry is deleted, and that is logged |

A token is the secret of its login, which finds the entry, and a secret of its own. The next one is made from that and
from a salt, which the store keeps for the ``grace``: so a process that is killed loses nothing, two processes make the
same successor, and the store alone can make none.
"""

import logging
from collections.abc import Iterable
from functools import partial
from hashlib import sha256
from hmac import digest
from secrets import token_bytes, token_urlsafe
from typing import Any, NamedTuple

from antiphon import App, current_request, explained
from antiphon.embedding import FeatureStore, check_numbers, errors_name_it, mounted_together, seconds_of
from antiphon.features import OwnedEntry, Store, StoreEntry
from antiphon.features.ending import Kinds, by_key, look_again
from antiphon.features.ends import BEGUN, refuse_if_late
from antiphon.features.users import check_maker
from antiphon.http import BadRequest
from antiphon.types import Duration

_named = FeatureStore.declare("refresh token", until="major", unreadable="refused")
DAY = 24 * 3600.0
"""The number of seconds in a day."""


class RefreshedToken(NamedTuple):
    """A refresh token that replaces the one that was presented.

    ``owner``, ``name`` and ``scopes`` are those that were passed to ``issue``.
    """

    token: str
    owner: str
    name: str
    scopes: list[str]


@errors_name_it
class RefreshTokens:
    """Refresh tokens for apps and programs that keep a login without a cookie (RFC 6749 §1.5, RFC 9700 §4.14).

        tokens = RefreshTokens()

    ``issue`` begins a login and returns its first token; ``rotate`` takes a token and returns its successor. Each token
    is used once. If one is presented again, it may have been stolen: the whole login ends, and a warning is logged. For
    ``grace``, and until its successor is used, a client that did not get the response gets the same successor again; 0
    means never. A login ends after ``idle`` without use, and in any case after ``lifetime``. These times are in seconds
    or timedeltas. The store keeps only hashes; the default ``store`` is that of the app.
    """

    def __init__(
        self,
        store: Store | None = None,
        *,
        idle: Duration = 30 * DAY,
        lifetime: Duration = 180 * DAY,
        grace: Duration = 10.0,
        prefix: str = "refresh",
    ) -> None:
        """``prefix`` is the beginning of each token, so that scanners of source code recognize it.

        All methods call the store, so use them in ``def`` handlers or on a thread; they raise StoreUnavailable (503).
        Raises ValueError for times that are not above 0 and for a prefix with a full stop.
        """
        self._idle, self._lifetime, self._grace = seconds_of(idle), seconds_of(lifetime), seconds_of(grace)
        check_numbers(idle=self._idle, lifetime=self._lifetime, grace=self._grace or None)  # 0: none
        if not prefix or "." in prefix:
            raise explained("bad-feature-option", f"prefix must be text without full stops, not {prefix!r}")
        self._prefix = prefix
        self._stores = FeatureStore("RefreshTokens", store)

    def install(self, app: App) -> None:
        """Use the app's store, unless there is one of its own. Raises RuntimeError if there is no store.

        At startup, raises ValueError if other tokens with this prefix, of an app that is mounted together with this
        one, are in the same store: a token of one user would be valid for the other's user with the same key.
        """
        self._stores.taken_from(app)
        app.on_startup(partial(self._check_apart, app))

    def _check_apart(self, app: App) -> None:
        for theirs in [each for other in mounted_together(app) for each in other.features]:
            if not isinstance(theirs, RefreshTokens) or theirs is self or theirs._prefix != self._prefix:  # noqa: SLF001 - of this very class
                continue
            if self._stores.current.shares_entries(theirs._stores.current):  # noqa: SLF001
                raise explained(
                    "feature-used-twice",
                    "two RefreshTokens share a store, so a token of one app would be valid in the other: use one"
                    " object in both, or RefreshTokens(prefix=...) with two prefixes",
                )

    def issue(self, owner: str, *, name: str = "", scopes: Iterable[str] = ()) -> str:
        """Begin a login and return its first token. Check the password before you call this.

        ``owner`` is the user's key in a session, usually the id, as text. ``name`` tells the owner's devices apart.
        Raises Forbidden (403) if the request has an API key or a token, and Unauthorized (401) if ``Users.end`` has
        ended the user since the request began.
        """
        if isinstance(scopes, str):
            raise explained("list-wanted", f"scopes must be a list: [{scopes!r}]", TypeError)
        check_maker(current_request(None))
        login, secret = f"{self._prefix}_{token_urlsafe(32)}", token_urlsafe(32)
        store, key = self._stores.current, self._name(login)
        data = {"owner": owner, "name": name, "scopes": sorted(scopes), "current": _hash(secret), "used": store.clock()}
        store.change(key, data, ttl=min(self._idle, self._lifetime), owner=self._name(owner))
        refuse_if_late(owner, partial(store.delete, key), BEGUN)
        return f"{login}.{secret}"

    def rotate(self, token: str) -> RefreshedToken:
        """Return the successor of a token.

        Raises BadRequest (400), with the member ``error`` that OAuth's clients expect, "invalid_grant" (RFC 6749 §5.2),
        for a token that is unknown, expired, revoked, or was used before.
        """
        login, _, secret = token.rpartition(".")
        store, key = self._stores.current, self._name(login)
        while (entry := store.load(key)) is not None and (left := self._seconds_left(entry)) > 0:
            current: str = entry.data["current"]
            is_current = current == _hash(secret)
            salt = self._salt(key, secret, is_current=is_current)
            successor = "" if salt is None else digest(secret.encode("utf-8", "surrogatepass"), salt, "sha256").hex()
            if not is_current and current != _hash(successor):
                self._end_stolen(entry)
                break
            if not is_current or self._replace(entry, successor, min(self._idle, left)):
                data = entry.data
                return RefreshedToken(f"{login}.{successor}", data["owner"], data["name"], data["scopes"])
        raise BadRequest("The refresh token is not valid: log in again.", members={"error": "invalid_grant"})

    def revoke(self, token: str) -> bool:
        """End the login of a token, for example to log out, and close what the user has opened with tokens of
        ``Bearer``. Return False if it had ended already (RFC 7009 §2).
        """
        entry = self._stores.current.load(self._name(token.rpartition(".")[0]))
        return entry is not None and self._end(entry)

    def _end(self, entry: StoreEntry) -> bool:
        has_ended = self._stores.current.delete(entry.key)
        look_again(self, entry.data["owner"], tokens=True)
        return has_ended

    def owned_by(self, owner: str) -> list[OwnedEntry]:
        """Return a user's logins, oldest first. Their ``data`` has the ``name``, the ``scopes``, and ``used``, the Unix
        time of the last use.
        """
        shown = ("name", "scopes", "used")
        found = self._stores.current.owned_by(self._name(owner))
        return [each._replace(data={name: each.data[name] for name in shown}) for each in found]

    def delete_owned(self, owner: str, *, only: str | None = None) -> int:
        """End all logins of a user, or only the one whose ``id`` is ``only``, and return how many ended."""
        ended = self._stores.current.delete_owned(self._name(owner), only=only)
        look_again(self, owner if ended else None, tokens=True)
        return ended

    def __ends__(self, user: Any, key: str | None) -> Kinds:
        return by_key("refresh tokens", key, self.delete_owned)

    def _salt(self, key: str, secret: str, *, is_current: bool) -> bytes | None:
        """Return what the successor of a token is made with; None for a token that was used before."""
        if not self._grace:
            return token_bytes(16) if is_current else None
        store, name = self._stores.current, _named("salt", key, _hash(secret))
        kept = store.load(name)
        if kept is None and is_current:
            kept = store.add(name, {"salt": token_bytes(16)}, ttl=self._grace) or store.load(name)
        return kept.data["salt"] if kept is not None else token_bytes(16) if is_current else None

    def _seconds_left(self, entry: StoreEntry) -> float:
        """Return how long a login may still last in any case."""
        return entry.created + self._lifetime - self._stores.current.clock()

    def _replace(self, entry: StoreEntry, successor: str, ttl: float) -> bool:
        """Write the hash of a successor. Return False if another process has changed the entry in the meantime."""
        data = entry.data | {"current": _hash(successor), "used": self._stores.current.clock()}
        return self._stores.current.replace(entry.key, data, version=entry.version, ttl=ttl) is not None

    def _end_stolen(self, entry: StoreEntry) -> None:
        self._end(entry)
        logging.getLogger("antiphon").warning(
            "a refresh token of the user %r was presented again after its use, so it may have been stolen: the login"
            " %r has ended", entry.data["owner"], entry.data["name"],
        )  # fmt: skip

    def _name(self, login_or_owner: str) -> str:
        return _named(self._prefix, login_or_owner)


def _hash(secret: str) -> str:
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
