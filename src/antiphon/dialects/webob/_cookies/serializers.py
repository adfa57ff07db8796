"""Objects to bytes and back, as cookies carry them: JSON, base64 and signatures."""

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any, Protocol

from antiphon.dialects.webob._cookies.names import to_bytes


class Serializer(Protocol):
    """An object that prints values as bytes, and reads these. Reading malformed bytes raises ValueError."""

    def dumps(self, appstruct: Any, /) -> bytes:
        """Print a value."""
        ...

    def loads(self, bstruct: bytes, /) -> Any:
        """Read a value. Raises ValueError."""


class JSONSerializer:
    """Values as JSON in UTF-8."""

    def dumps(self, appstruct: Any) -> bytes:
        """Print a value. Raises TypeError for one that JSON doesn't have."""
        return json.dumps(appstruct).encode()

    def loads(self, bstruct: str | bytes) -> Any:
        """Read a value. Raises ValueError."""
        return json.loads(bstruct if isinstance(bstruct, str) else bstruct.decode())


class Base64Serializer:
    """Values of another serializer, by default ``JSONSerializer``, in base64 with ``-`` and ``_`` (RFC 4648 §5)."""

    def __init__(self, serializer: Serializer | None = None) -> None:
        self.serializer = serializer or JSONSerializer()

    def dumps(self, appstruct: Any) -> bytes:
        """Print a value."""
        return urlsafe_b64encode(self.serializer.dumps(appstruct))

    def loads(self, bstruct: str | bytes) -> Any:
        """Read a value. Raises ValueError."""
        return self.serializer.loads(_decoded(to_bytes(bstruct)))


class SignedSerializer:
    """Values of another serializer, by default ``JSONSerializer``, after their HMAC, in base64 without padding.

    The key is the ``salt``, which names the use, and the ``secret``. ``hashalg`` is an algorithm of hashlib.
    """

    def __init__(
        self,
        secret: str | bytes,
        salt: str | bytes,
        hashalg: str = "sha512",
        serializer: Serializer | None = None,
    ) -> None:
        """Raise ValueError for an algorithm that hashlib doesn't have."""
        self.salt = salt
        self.secret = secret
        self.hashalg = hashalg
        try:
            self.salted_secret = to_bytes(salt or "") + to_bytes(secret)
        except UnicodeEncodeError:
            self.salted_secret = to_bytes(salt or "", "utf-8") + to_bytes(secret, "utf-8")
        self.digest_size = hashlib.new(hashalg).digest_size
        self.serializer = serializer or JSONSerializer()

    def dumps(self, appstruct: Any) -> bytes:
        """Print a value, signed."""
        printed = self.serializer.dumps(appstruct)
        return urlsafe_b64encode(self._signature(printed) + printed).rstrip(b"=")

    def loads(self, bstruct: str | bytes) -> Any:
        """Read a signed value. Raises ValueError for a wrong or missing signature."""
        given = to_bytes(bstruct)
        decoded = _decoded(given + b"=" * (-len(given) % 4))
        signature, printed = decoded[: self.digest_size], decoded[self.digest_size :]
        if not hmac.compare_digest(signature, self._signature(printed)):
            raise ValueError("the signature does not belong to the value")
        return self.serializer.loads(printed)

    def _signature(self, printed: bytes) -> bytes:
        return hmac.digest(self.salted_secret, printed, self.hashalg)


def _decoded(text: bytes) -> bytes:
    try:
        return urlsafe_b64decode(text)
    except ValueError as error:
        raise ValueError(f"not base64: {error}") from None
