"""API keys, as a source of users: made for a user, sent in a header, and stored as hashes.

keys = APIKey(find_user)
app.use(Users(keys))
"""

# ruff: noqa: SLF001 - sources of this very class are compared

from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from hashlib import sha256
from inspect import isawaitable
from math import inf
from secrets import token_hex
from typing import Any, TypeVar

from antiphon import App, Dependency, Request, current_request, explained
from antiphon.embedding import (
    Crossing,
    FeatureStore,
    describe,
    errors_name_it,
    is_async,
    is_token,
    mounted_together,
    seconds_of,
)
from antiphon.features import OwnedEntry, Store, StoreEntry
from antiphon.features.ending import Kinds, by_key, look_again
from antiphon.features.ends import NOTED, refuse_if_late
from antiphon.features.users import UserSource, check_loader, check_maker, sources_of
from antiphon.http import Challenge
from antiphon.types import Duration, Identity

U = TypeVar("U")

_named = FeatureStore.declare("api key", until="major", unreadable="refused")
USE_NOTED_EVERY = 60.0
"""The seconds after which another use of a key is written to the store."""
_SHOWN = 6
"""The number of random characters in a key's hint, by which its owner recognizes it."""

_SHOWN_OF_HASH = 16
_REALM = "Restricted"
_END = "_end"
"""The name of a key's end, in Unix seconds by the store's clock, which is not shown."""

_ENTRY = Dependency[StoreEntry]("API key")


@errors_name_it
class APIKey(UserSource[U]):
    """A key in a header with each request, which ``create`` has made for a user.

        app.use(Users(APIKey(load_user)))

    The loader is called with the ``owner`` that was given to ``create`` and returns the user or None. The owner is the
    user's key in a session, usually the id, as text: ``Users.end`` finds a user's keys by it. The store keeps a hash of
    each key, with its name, its scopes, a hint and the time of its last use. The default ``store`` is that of the app.
    ``prefix`` is the beginning of each new key, so that scanners of source code recognize it. With
    ``header="Authorization"``, a key is sent as a Bearer token (RFC 6750).
    """

    header_is_secret = True

    def __init__(
        self,
        loader: Callable[[str], U | None] | Callable[[str], Awaitable[U | None]],
        *,
        header: str = "X-API-Key",
        prefix: str = "key",
        store: Store | None = None,
    ) -> None:
        """Each key is a caller of its own: limits and idempotent writes tell two keys of one user apart.

        Raises ValueError for a header or a prefix that isn't a token.
        """
        check_loader(loader, "owner")
        super().__init__(self._load)
        for name, value in (("header", header), ("prefix", prefix)):
            if not is_token(value):
                raise explained("bad-feature-option", f"{name} must be a token, not {value!r}")
        self._header = header
        self._is_bearer = header.lower() == "authorization"
        self.header = None if self._is_bearer else header
        self._find: Callable[[str], Any] = loader
        self._prefix = prefix
        self._stores = FeatureStore("APIKey", store)
        self._replaces = (header.lower(),)

    def install(self, app: App) -> None:
        """Use the app's store, unless the source was given one. Raises RuntimeError if there is no store.

        At startup, raises ValueError if keys with another loader, of an app that is mounted together with this one, are
        in the same store and header: a key of one user would be valid for the other's user with the same id.
        """
        self._stores.taken_from(app)
        app.on_startup(partial(self._check_apart, app))

    def _check_apart(self, app: App) -> None:
        for theirs in [source for other in mounted_together(app) for source in sources_of(other, APIKey)]:
            is_same = theirs._header.lower() == self._header.lower() and theirs._find != self._find
            if is_same and self._stores.current.shares_entries(theirs._stores.current):
                raise explained(
                    "feature-used-twice",
                    "two APIKey share a store, so a key of one app would be valid in the other:"
                    f" {describe(theirs._find)} and {describe(self._find)}. Give one of them another header,"
                    ' APIKey(..., header="X-Admin-Key"), or another store',
                )

    @property
    def _asks_store(self) -> bool:
        return self._stores.current.blocks

    def create(self, owner: str, *, name: str = "", scopes: Iterable[str] = (), ttl: Duration | None = None) -> str:
        """Return a new key for a user, which is stored only as a hash: show it once.

        It is valid for ``ttl``, in seconds or a timedelta; None means until it is deleted. ``scopes`` are what
        ``scopes_required`` asks for. This calls the store, and raises StoreUnavailable, Forbidden (403) if the request
        has an API key or a token, and Unauthorized (401) if ``Users.end`` has ended the user since the request began.
        """
        check_maker(current_request(None))
        if isinstance(scopes, str):
            raise explained("list-wanted", f"scopes must be a list: [{scopes!r}]", TypeError)
        key = f"{self._prefix}_{token_hex(20)}"
        hint = key[: len(self._prefix) + 1 + _SHOWN]
        data = {"owner": owner, "name": name, "scopes": sorted(scopes), "hint": hint, "used": None}
        name, of, store = self._name(key), self._owner(owner), self._stores.current
        store.change(name, data, owner=of, ttl=store.FOREVER if ttl is None else seconds_of(ttl))
        refuse_if_late(owner, partial(store.delete, name), NOTED)
        return key

    def owned_by(self, owner: str) -> list[OwnedEntry]:
        """Return a user's keys, oldest first. Their ``data`` has the ``name``, the ``scopes``, the ``hint`` with which
        the key begins, and ``used``, the Unix time of its last use or None. This calls the store.
        """
        found = self._stores.current.owned_by(self._owner(owner))
        return [each._replace(data={name: each.data[name] for name in each.data if name != _END}) for each in found]

    def delete_owned(self, owner: str, *, only: str | None = None) -> int:
        """Delete all keys of a user, or only the one whose ``id`` is ``only``, and close what they have opened. Return
        how many were deleted. This calls the store.
        """
        deleted = self._stores.current.delete_owned(self._owner(owner), only=only)
        look_again(self, owner if deleted else None)
        return deleted

    def __ends__(self, user: Any, key: str | None) -> Kinds:
        return by_key("API keys", key, self.delete_owned)

    def _is_valid(self, request: Request) -> bool:
        return _ENTRY not in request or self._stores.current.load(request[_ENTRY].key) is not None

    def _seconds_left(self, request: Request) -> float:
        return request[_ENTRY].expires - self._stores.current.clock() if _ENTRY in request else inf

    def credentials(self, request: Request) -> tuple[str, Request] | None:
        if self._is_bearer:
            given = request.authorization
            key = given.token or "" if given and given.scheme == "bearer" else None
        else:
            key = request.head.field(self._header.lower())
        return None if key is None else (key, request)

    def _identity(self, given: tuple[Any, ...], key: str | None) -> Identity | None:
        """Return the user and the key, since each key is a caller of its own."""
        made = super()._identity(given, key)
        if key is None or made is None:
            return made
        return made._replace(id=f"{key} by {_hash(given[0])[:_SHOWN_OF_HASH]}")

    def challenge(self, request: Request) -> Challenge:  # noqa: ARG002
        return Challenge.bearer(_REALM) if self._is_bearer else Challenge("APIKey", {"header": self._header})

    def scopes_of(self, request: Request, user: U) -> Iterable[str]:  # noqa: ARG002
        scopes: list[str] = request[_ENTRY].data["scopes"] if _ENTRY in request else []
        return scopes

    async def _load(self, key: str, request: Request) -> U | None:
        blocks = self._stores.current.blocks
        entry = await Crossing().run(self._used, key) if blocks else self._used(key)
        if entry is None:
            return None
        request[_ENTRY] = entry
        owner = entry.data["owner"]
        waits = blocks and not is_async(self._find)
        user: Any = await Crossing().run(self._find, owner) if waits else self._find(owner)
        found: U | None = await user if isawaitable(user) else user
        return found

    def _used(self, key: str) -> StoreEntry | None:
        """Return a key's entry, and note its use. The first note has the key's end, which no later one moves."""
        store, name, now = self._stores.current, self._name(key), self._stores.current.clock()
        entry = store.load(name)
        if entry is not None and now - (entry.data["used"] or 0) > USE_NOTED_EVERY:
            end = entry.data.get(_END, entry.expires)
            if end > now:
                store.change(name, {"used": now, _END: end}, ttl=end - now, create=False)
        return entry

    def _name(self, key: str) -> str:
        return _named(self._header.lower(), _hash(key))

    def _owner(self, owner: str) -> str:
        return _named(self._header.lower(), owner)


def _hash(key: str) -> str:
    return sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
