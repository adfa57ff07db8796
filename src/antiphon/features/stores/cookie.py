"""A store in cookies: each contains the signed data itself instead of a key."""
# ruff: noqa: ARG002 - clients have the data, so many arguments have no effect

import time
import zlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, NoReturn, Self

from antiphon import explained
from antiphon.embedding import TimedSigner
from antiphon.features import OwnedEntry, Store, StoreCount, StoreEntry
from antiphon.features.stores import check_ttl, encode_value
from antiphon.features.stores.tagged_json import dumps, dumps_tagged, from_base64, has_tags, loads, pack, tag, unpack
from antiphon.types import SecretKeys

_LONGEST_COOKIE = 4096
LONGEST = _LONGEST_COOKIE - 96
"""The maximum size of the value in bytes, which leaves room for the cookie's name."""

LIFETIME = 31 * 24 * 3600.0
"""The number of seconds for which a cookie without an explicit lifetime is valid, as in Flask."""

_TIMES = "_at"
"""The name in a cookie for the times at which it was created, was last changed and will expire, as Unix time."""


class CookieStore(Store):
    """A store for sessions that keeps nothing on the server: the key is the data itself, which the client keeps in a
    cookie.

        app.use(Sessions(CookieStore([env("SECRET_KEY")])))

    The cookie is signed, so nobody can change it, but not encrypted, so its owner can read it. ``secret_keys`` are the
    newest key, which signs, and older keys, whose cookies stay valid. Cookies that Flask signed with one of the keys
    are also valid, and Flask can read cookies from here if both use the same cookie name.

    Data that clients keep can't be revoked or counted. A client that kept an old cookie can send it again until it
    expires, and of two concurrent changes, the last one wins.
    """

    blocks: ClassVar[bool] = False
    is_server_side: ClassVar[bool] = False

    def __init__(
        self, secret_keys: Iterable[str | bytes] | SecretKeys, *, clock: Callable[[], float] = time.time
    ) -> None:
        """Methods that would need data on the server raise NotImplementedError. Raises ValueError for a change that
        makes a cookie too long, for a missing key, and for a key shorter than 16 bytes.
        """
        keys = SecretKeys(secret_keys)
        if not keys:
            raise explained("bad-secret-key", f"CookieStore needs a secret key; {SecretKeys.MAKE_ONE} makes one")
        self.clock = clock
        self._keys = frozenset(keys.oldest_first)
        self._signer = TimedSigner(keys.oldest_first, "cookie-session", "sha1")  # as in Flask

    def shares_entries(self, other: Store) -> bool:
        return isinstance(other, CookieStore) and not self._keys.isdisjoint(other._keys)  # noqa: SLF001 - of this very class

    def new_key(self) -> str:
        """Return a key without an entry; the store returns the real key when it creates the entry."""
        return ""

    def check_value(self, name: str, value: object) -> None:
        """Raise TypeError, naming the value, if it can't be stored, and ValueError for a reserved name."""
        _checked(name, value)

    def load(self, key: str) -> StoreEntry | None:
        """Return the data in a cookie, or None if the cookie was not signed with these keys, has expired, or belongs
        elsewhere."""
        verified = key if isinstance(key, _Verified) and key.store is self else self._verify(key)
        if verified is None:
            return None
        try:
            data = loads(verified.data)
        except Exception:  # tags that don't fit their values: other software signed them with this key
            return None
        if not isinstance(data, dict):
            return None
        created, changed, expires = _times(data.pop(_TIMES, None)) or _times_of(verified)
        return StoreEntry(verified, data, 0, created, changed, expires) if expires > self.clock() else None

    def _verify(self, key: str) -> "_Verified | None":
        """Return a cookie with its data, or None if it was not signed with these keys."""
        if len(key) > _LONGEST_COOKIE or not key.isascii():
            return None
        if (unsigned := self._signer.unsign(key.encode())) is None:
            return None
        payload, signed_at = unsigned
        try:
            return _Verified(key, self, unpack(payload), signed_at)
        except (ValueError, zlib.error):  # signed by other software with this key
            return None

    def change(
        self,
        key: str,
        updates: Mapping[str, Any],
        *,
        ttl: float = Store.FOREVER,
        remove: Iterable[str] = (),
        create: bool = True,
        owner: str | None = None,
    ) -> StoreEntry | None:
        """Return the changed data with a new key, which is the cookie to send. ``owner`` has no effect.

        Raises ValueError if the cookie is longer than browsers accept.
        """
        check_ttl(ttl)
        before = self.load(key)
        if before is None and not create:
            return None
        data = {**(before.data if before else {}), **{name: _checked(name, updates[name]) for name in updates}}
        for name in remove:
            data.pop(name, None)
        now = self.clock()
        created, expires = before.created if before else now, now + ttl
        text = dumps_tagged({**_tagged(before, data, updates), _TIMES: [created, now, expires]})
        signed = self._signer.sign(pack(text), now).decode()
        if len(signed) > LONGEST:
            raise explained(
                "too-much-for-a-cookie",
                f"this data makes a cookie of {len(signed)} bytes, but browsers accept only {LONGEST}: use"
                f" {Store.ON_SERVER} instead",
            )
        return StoreEntry(signed, data, 0, created, now, expires)

    def rotate(self, key: str, new_key: str) -> StoreEntry | None:
        """Return the entry unchanged: someone who has planted a cookie does not know the cookie that replaces it."""
        return self.load(key)

    def delete(self, key: str) -> NoReturn:
        raise _can_not("delete an entry: anyone who has the cookie can send it again")

    def owned_by(self, owner: str) -> list[OwnedEntry]:
        raise _can_not("find entries: clients have them")

    def delete_owned(self, owner: str, *, only: str | None = None, keep: str | None = None) -> int:
        raise _can_not("delete entries: clients have them")

    def add(self, key: str, data: Mapping[str, Any], *, ttl: float = Store.FOREVER) -> StoreEntry | None:
        raise _can_not("tell that a key is new: clients can send any cookie again")

    def replace(
        self, key: str, data: Mapping[str, Any], *, version: int, ttl: float = Store.FOREVER
    ) -> StoreEntry | None:
        raise _can_not("tell that an entry has not changed: clients can send any cookie again")

    def increment(self, key: str, *, ttl: float = Store.FOREVER, by: int = 1) -> StoreCount:
        raise _can_not("count: clients can send any cookie again")


def _can_not(do: str) -> NotImplementedError:
    return explained("store-cannot", NotImplementedError(f"CookieStore can't {do}. {Store.ON_SERVER} can"))


def _checked(name: str, value: object) -> object:
    """Return a value after a round trip. Raises TypeError if it changes, and ValueError for a reserved name."""
    if name == _TIMES:
        raise explained("not-storable", f"the name {_TIMES!r} is reserved for the store")
    if type(value) in _PLAIN or (type(value) is int and value.bit_length() < 64):
        return value
    return loads(encode_value(name, value, lambda each: dumps(each).encode(), loads).decode())


_PLAIN = frozenset({str, bool, type(None)})
"""Types whose values all survive a round trip unchanged."""


def _tagged(before: StoreEntry | None, data: dict[str, Any], updates: Iterable[str]) -> dict[str, Any]:
    """Return data with JSON tags. Values that had no tags before need none now."""
    if before is None or not isinstance(before.key, _Verified) or has_tags(before.key.data):
        return {name: tag(value) for name, value in data.items()}
    return {**data, **{name: tag(data[name]) for name in updates if name in data}}


def _times_of(verified: "_Verified") -> tuple[float, float, float]:
    """Return the times of a cookie made by Flask, which are derived from the second of its signature.

    It began within the second before, at a time that depends on the cookie, since visitors are told apart by it.
    """
    then = float(int.from_bytes(from_base64(verified.signed_at)))
    return then - zlib.crc32(verified.encode()) / 2**32, then, then + LIFETIME


def _times(given: object) -> tuple[float, float, float] | None:
    match given:
        case [int() | float() as created, int() | float() as changed, int() | float() as expires, *_]:
            return created, changed, expires
    return None


class _Verified(str):
    """A cookie with a verified signature, and its data as signed, so that a change need not verify it again."""

    __slots__ = ("data", "signed_at", "store")
    store: CookieStore
    data: str
    signed_at: bytes

    def __new__(cls, key: str, store: CookieStore, data: str, signed_at: bytes) -> Self:
        self = super().__new__(cls, key)
        self.store, self.data, self.signed_at = store, data, signed_at
        return self
