"""The values of session cookies: tagged JSON, packed and signed as itsdangerous does, by the native signer."""

import time
import zlib
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from itsdangerous import BadPayload, BadSignature, SignatureExpired
from itsdangerous.encoding import want_bytes

from antiphon.embedding import TimedSigner
from antiphon.features.stores.tagged_json import from_base64, pack, unpack

if TYPE_CHECKING:
    from collections.abc import Iterable

    from antiphon.dialects.flask.json.tag import TaggedJSONSerializer


def encoded_keys(secret_keys: "Iterable[str | bytes]") -> list[bytes]:
    """Return secret keys as bytes. Raises TypeError for other values."""
    keys = [key.encode() if isinstance(key, str) else key for key in secret_keys]
    if wrong := {type(key).__name__ for key in keys if not isinstance(key, bytes)}:
        raise TypeError(f"SECRET_KEY and SECRET_KEY_FALLBACKS have texts or bytes, and not {', '.join(sorted(wrong))}")
    return keys


class CookieSerializer:
    """Writes and reads cookies as a ``URLSafeTimedSerializer`` does, with an HMAC of SHA-1, but derives its keys once.

    The last of the ``secret_keys`` signs, all of them verify.
    """

    def __init__(self, secret_keys: tuple[str | bytes, ...], salt: str, serializer: "TaggedJSONSerializer") -> None:
        self._signer = TimedSigner(encoded_keys(secret_keys), salt, "sha1")
        self._serializer = serializer

    def dumps(self, data: object) -> str:
        """Return data as a cookie's value."""
        return self._signer.sign(pack(self._serializer.dumps(data)), time.time()).decode()

    def loads(self, value: str, max_age: int) -> Any:
        """Return the data of a value. Raises BadSignature for one that no key signed, SignatureExpired for one older
        than ``max_age`` seconds, and BadPayload for one that can't be read.
        """
        unsigned = self._signer.unsign(want_bytes(value))
        if unsigned is None:
            raise BadSignature("the cookie was not signed with a key of this application")
        payload, signed_at = unsigned
        try:
            age = int(time.time()) - int.from_bytes(from_base64(signed_at))
        except ValueError as error:
            raise BadSignature("the cookie was signed at no time") from error
        if not 0 <= age <= max_age:
            raise SignatureExpired(f"the cookie was signed {age} seconds ago")
        try:
            return self._serializer.loads(unpack(payload))
        except Exception as error:  # of a tag, too
            raise BadPayload("the cookie was signed, and can't be read", error) from error


cookie_serializer = lru_cache(16)(CookieSerializer)
"""Return the serializer for these keys: each application has one, until its keys are changed."""


MOST_DECOMPRESSED = 64 << 10
"""The most bytes of data to search in a cookie that is not verified yet."""


def may_say(value: str, text: bytes) -> bool:
    """Return False if the data of a cookie does not contain this text. Nothing is verified."""
    payload = value.rpartition(".")[0].rpartition(".")[0]
    try:
        data = from_base64(payload.encode())
        if not payload.startswith("."):
            return text in data
        decompressor = zlib.decompressobj()
        return text in decompressor.decompress(data, MOST_DECOMPRESSED) or bool(decompressor.unconsumed_tail)
    except (ValueError, zlib.error):
        return False
