"""Values and text signed with rotating secret keys: the newest key signs, and all keys verify."""

import time
from binascii import b2a_base64
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal
from weakref import WeakSet

from antiphon.explanations import explained
from antiphon.http.dates import Duration, seconds_of
from antiphon.http.errors import Forbidden
from antiphon.lazy import lazy

if TYPE_CHECKING:
    from hmac import HMAC

    from itsdangerous import Signer as TextSigner
    from itsdangerous import URLSafeTimedSerializer

_SHORTEST_KEY = 16


class BadSignature(Forbidden):
    """403: a value or a URL that none of the keys has signed for this purpose, because it was changed, truncated or
    made up.
    """

    def __init__(self, detail: str = "The signature does not match.") -> None:
        super().__init__(detail)


class SignatureExpired(BadSignature):
    """410: a signature that was valid but has expired."""

    status = 410

    def __init__(self, detail: str = "The signature has expired.") -> None:
        super().__init__(detail)


class SecretKeys:
    """Secret keys, newest first. The ``repr`` doesn't show them.

    Raises TypeError unless the keys are a list of strings, and ValueError for a key shorter than 16 bytes.
    """

    __slots__ = ("__weakref__", "oldest_first")

    MAKE_ONE = 'python -c "import secrets; print(secrets.token_urlsafe(32))"'
    """The command that prints a new key."""

    def __init__(self, keys: "Iterable[str | bytes] | SecretKeys") -> None:
        if isinstance(keys, str | bytes):
            raise explained(
                "list-wanted", 'secret_keys must be a list, the newest key first: secret_keys=["..."]', TypeError
            )
        self.oldest_first: tuple[bytes, ...] = (
            keys.oldest_first if isinstance(keys, SecretKeys) else tuple(map(_checked_key, reversed([*keys])))
        )
        _in_use.add(self)

    @staticmethod
    def in_use() -> set[bytes]:
        """Return all secret keys of the process. They must not be shown, whatever their variables are called."""
        return {key for keys in _in_use for key in keys.oldest_first}

    def __bool__(self) -> bool:
        return bool(self.oldest_first)

    def __repr__(self) -> str:
        return f"<SecretKeys: {len(self.oldest_first)}>"


_in_use: WeakSet[SecretKeys] = WeakSet()


def _checked_key(key: str | bytes) -> bytes:
    if not isinstance(key, str | bytes):
        raise explained(
            "bad-secret-key",
            f"a secret key must be text or bytes, not {type(key).__name__}; {SecretKeys.MAKE_ONE} makes one",
            TypeError,
        )
    encoded = key.encode() if isinstance(key, str) else key
    if len(encoded) < _SHORTEST_KEY:
        raise explained(
            "bad-secret-key",
            f"a secret key must have at least {_SHORTEST_KEY} bytes, not {len(encoded)}, which can be guessed:"
            f" {SecretKeys.MAKE_ONE} makes one",
        )
    return encoded


class TimedSigner:
    """A signer of bytes and the time for one purpose, the ``salt``. It signs as itsdangerous does, but derives and
    hashes keys only once.
    """

    def __init__(self, oldest_first: Sequence[bytes], salt: str, digest: Literal["sha256", "sha1"]) -> None:
        import hmac  # imported late: few applications sign

        keys = [hmac.digest(key, salt.encode(), digest) for key in reversed(oldest_first)]
        self._keys = [hmac.new(key, digestmod=digest) for key in keys]  # copies save hashing the key
        self._is_same = hmac.compare_digest

    def sign(self, value: bytes, now: float) -> bytes:
        """Return bytes with the time, in seconds since 1970, and a signature by the newest key."""
        seconds = int(now)
        signed = value + b"." + to_base64(seconds.to_bytes((seconds.bit_length() + 7) // 8))
        return signed + b"." + self._signature(self._keys[0], signed)

    def unsign(self, text: bytes) -> tuple[bytes, bytes] | None:
        """Return the value, and the time in base64, from a result of ``sign``; None if none of the keys signed it."""
        signed, _, signature = text.rpartition(b".")
        if not self.is_signature(signed, signature):
            return None
        value, _, signed_at = signed.rpartition(b".")
        return value, signed_at

    def is_signature(self, signed: bytes, signature: bytes) -> bool:
        """Return True if any of the keys made this signature of the bytes. The check takes equally long for all wrong
        signatures.
        """
        found = [self._is_same(self._signature(key, signed), signature) for key in self._keys]
        return any(found)

    def _signature(self, key: "HMAC", signed: bytes) -> bytes:
        signature = key.copy()
        signature.update(signed)
        return to_base64(signature.digest())


def to_base64(data: bytes) -> bytes:
    """Return base64 for URLs (RFC 4648 §5), without padding."""
    return b2a_base64(data, newline=False).replace(b"+", b"-").replace(b"/", b"_").rstrip(b"=")


class Signer:
    """A signer of values for one purpose, the ``salt``: a value signed for one purpose is not valid for another.

        signer = Signer([env("SECRET_KEY")], salt="invitations")

    The first of the ``secret_keys``, the newest, is used to sign; all of them are used to verify. Clients can read
    signed values but can't change them. ``digest`` is the hash; "sha1" reads values that Flask signed with the same key
    and salt. Raises TypeError or ValueError for missing or weak keys and for an empty salt.
    """

    def __init__(
        self,
        secret_keys: Iterable[str | bytes] | SecretKeys,
        *,
        salt: str,
        digest: Literal["sha256", "sha1"] = "sha256",
    ) -> None:
        self._keys = SecretKeys(secret_keys)
        if not self._keys:
            raise explained("bad-secret-key", f"a signer needs a secret key; {SecretKeys.MAKE_ONE} makes one")
        if not isinstance(salt, str) or not salt:
            raise explained("bad-secret-key", 'a salt must name the purpose of a signature, such as "newsletter"')
        if digest not in ("sha256", "sha1"):
            raise explained("bad-secret-key", f"digest must be 'sha256' or 'sha1', not {digest!r}")
        self.salt = salt
        self._digest: str = digest

    def __repr__(self) -> str:
        return f"<Signer {self.salt!r}>"

    @lazy
    def _serializer(self) -> "URLSafeTimedSerializer":
        from itsdangerous import URLSafeTimedSerializer

        return URLSafeTimedSerializer(list(self._keys.oldest_first), salt=self.salt, signer_kwargs=self._options)

    @lazy
    def _text_signer(self) -> "TextSigner":
        from itsdangerous import Signer as TextSigner

        return TextSigner(list(self._keys.oldest_first), salt=self.salt, **self._options)

    @property
    def _options(self) -> dict[str, Any]:
        import hashlib

        return {"key_derivation": "hmac", "digest_method": getattr(hashlib, self._digest)}

    def sign(self, value: object) -> str:
        """Return a JSON value as signed text that includes the time. It is safe in URLs: letters, digits, ``-``, ``_``
        and ``.``.

        Raises TypeError for a value that can't be serialized to JSON.
        """
        return str(self._serializer.dumps(value))

    def unsign(self, text: str | None, max_age: Duration | None = None) -> Any:
        """Return the value of signed text. ``max_age`` is seconds or a timedelta; None means any age.

        Raises BadSignature, which becomes a 403, for anything that ``sign`` did not make, including None, and
        SignatureExpired, which becomes a 410, for text older than ``max_age``.
        """
        from itsdangerous import BadData

        if text is None or not text.isascii():
            raise BadSignature
        try:
            value, signed_at = self._serializer.loads(text, return_timestamp=True)
        except BadData:
            raise BadSignature from None
        # A negative age comes from another machine whose clock is ahead.
        oldest = seconds_of(max_age)
        if oldest is not None and time.time() - signed_at.timestamp() > oldest:
            raise SignatureExpired
        return value

    def signature(self, text: str) -> str:
        """Return only the signature of text."""
        return self._text_signer.get_signature(text.encode()).decode()

    def is_signature(self, text: str, signature: str) -> bool:
        """Return True if any of the keys made this signature of the text. The check takes equally long for all wrong
        signatures.
        """
        return signature.isascii() and self._text_signer.verify_signature(text.encode(), signature)
