"""The kept requests in a store: one entry a cause, encrypted, with the first and the last request and their number."""

import hmac
import logging
from os import urandom
from typing import Any

import msgspec

from antiphon.app.store import Store
from antiphon.explanations import explained
from antiphon.features.kept_requests.record import Record
from antiphon.lazy import missing_package
from antiphon.serialization.signing import MAKE_A_KEY, SecretKeys

_OWNER = "kept\0requests"
"""The owner of all entries, by which the store lists them. Users, who own sessions, have no NUL in their names."""
_PURPOSE = b"antiphon kept requests"
_NONCE = 12
"""The size of a nonce of AES-GCM in bytes."""
_MOST_IDS = 50
"""The number of requests of one cause that are found by their ids: the last ones."""
_ATTEMPTS = 5


class Kept(msgspec.Struct, kw_only=True):
    """The requests of one cause: the first, the last, and their number."""

    id: str
    why: str
    count: int
    first: Record
    last: Record
    request_ids: list[str]

    @property
    def users(self) -> set[str]:
        """The keys of the users of both requests."""
        return {record.user for record in (self.first, self.last) if record.user}


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Kept).decode


class Seal:
    """Encryption with keys that are derived from an application's secret keys: the newest encrypts, all decrypt.

    Raises RuntimeError without any key; ModuleNotFoundError, which names the extra, without the package cryptography.
    """

    def __init__(self, keys: SecretKeys) -> None:
        try:
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        except ModuleNotFoundError as error:
            raise missing_package(error, "keep") from None
        if not keys:
            raise explained(
                "no-secret-key",
                RuntimeError(
                    f"Keep encrypts what it keeps: App(secret_keys=[...]) must have a key; {MAKE_A_KEY} makes one"
                ),
            )
        self._ciphers: list[AESGCM] = [
            AESGCM(hmac.digest(key, _PURPOSE, "sha256")) for key in reversed(keys.oldest_first)
        ]

    def close(self, data: bytes, about: str) -> bytes:
        """Encrypt data, which only opens again for the same ``about``."""
        nonce = urandom(_NONCE)
        return nonce + self._ciphers[0].encrypt(nonce, data, about.encode())

    def open(self, sealed: bytes, about: str) -> bytes | None:
        """Decrypt data; None if none of the keys opens it."""
        from cryptography.exceptions import InvalidTag

        for cipher in self._ciphers:
            try:
                return cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], about.encode())
            except InvalidTag:
                continue
        return None


class Shelf:
    """The kept requests of an application in its store. All methods call the store."""

    def __init__(self, store: Store, seal: Seal, *, most: int, ttl: float) -> None:
        self._store = store
        self._seal = seal
        self._most = most
        self._ttl = ttl

    def put(self, new: Kept) -> None:
        """Add requests of a cause to those that are known. Raises StoreUnavailable."""
        key = f"kept\n{new.id}"
        for _ in range(_ATTEMPTS):
            entry = self._store.load(key)
            known = None if entry is None else self._opened(new.id, entry.data)
            if known is None:
                self._make_room()
            data = self._sealed(new if known is None else _joined(known, new))
            if entry is None:
                written = self._store.change(key, data, ttl=self._ttl, owner=_OWNER) is not None
            else:
                written = self._store.replace(key, data, version=entry.version, ttl=self._ttl) is not None
            if written:
                return

    def _make_room(self) -> None:
        owned = sorted(self._store.owned_by(_OWNER), key=lambda entry: entry.changed)
        for oldest in owned[: max(0, len(owned) - self._most + 1)]:
            self._store.delete_owned(_OWNER, only=oldest.id)

    def all(self) -> list[Kept]:
        """Return the causes, the most recent first. One that no key opens is left out, and logged."""
        found = [self._opened_any(entry.data) for entry in self._store.owned_by(_OWNER)]
        return sorted((each for each in found if each is not None), key=lambda kept: -kept.last.time)

    def find(self, id_: str) -> Kept | None:
        """Return the cause with an id, or that of a request with this id; the beginning of an id is enough."""
        if not id_:
            return None
        every = self.all()
        exact = [kept for kept in every if kept.id == id_ or id_ in kept.request_ids]
        begun = [kept for kept in every if kept.id.startswith(id_) or any(map(_begins(id_), kept.request_ids))]
        return exact[0] if exact else begun[0] if len(begun) == 1 else None

    def forget(self, user: str) -> int:
        """Delete the causes that have a request of a user, and return how many there were."""
        forgotten = 0
        for entry in self._store.owned_by(_OWNER):
            kept = self._opened_any(entry.data)
            if kept is not None and user in kept.users:
                forgotten += self._store.delete_owned(_OWNER, only=entry.id)
        return forgotten

    def _sealed(self, kept: Kept) -> dict[str, Any]:
        return {"id": kept.id, "sealed": self._seal.close(_encode(kept), kept.id)}

    def _opened_any(self, data: dict[str, Any]) -> Kept | None:
        return self._opened(str(data.get("id", "")), data)

    def _opened(self, id_: str, data: dict[str, Any]) -> Kept | None:
        opened = self._seal.open(data.get("sealed", b""), id_)
        if opened is None:
            logging.getLogger("antiphon").warning("the kept request %s can't be decrypted with the secret keys", id_)
            return None
        try:
            return _decode(opened)
        except msgspec.DecodeError:
            logging.getLogger("antiphon").warning("the kept request %s is of another release", id_)
            return None


def _begins(start: str) -> Any:
    return lambda id_: len(start) >= 6 and id_.startswith(start)


def _joined(known: Kept, new: Kept) -> Kept:
    return Kept(
        id=known.id,
        why=new.why,
        count=known.count + new.count,
        first=known.first,
        last=new.last,
        request_ids=[*known.request_ids, *new.request_ids][-_MOST_IDS:],
    )
