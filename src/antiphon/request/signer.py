"""The interface of signed requests: the signature by which a request was let through, and what it covers."""

from datetime import datetime
from typing import NamedTuple

from antiphon.http.headers import Headers

_NO_HEADERS = Headers()


class RequestSigner(NamedTuple):
    """The signature by which a request was let through (RFC 9421). It is false for a request without a signature, which
    only ``Signatures(..., required=False)`` lets through.
    """

    key: str = ""
    """The id of the key, ``keyid``, by which ``Signatures`` has found it."""
    algorithm: str = ""
    """The name of the key's algorithm, such as "ed25519" (RFC 9421 §6.2.2)."""
    created: datetime | None = None
    """The time at which the signature was made, in UTC; None if it does not say so."""
    expires: datetime | None = None
    """The time at which the signature ends to be valid, in UTC; None if it does not say so."""
    nonce: str | None = None
    """The text that makes the signature unique; None without one."""
    tag: str | None = None
    """The use that the signature is for, such as "web-bot-auth"; None without one."""
    label: str = ""
    """The name of the signature in this request."""
    components: tuple[str, ...] = ()
    """The components that the signature covers, as it names them: ``'"@method"'``."""
    headers: Headers = _NO_HEADERS
    """The header fields that the signature covers as a whole."""
    directory: str | None = None
    """The URL of the directory that has the key; None for a key from elsewhere."""

    def __bool__(self) -> bool:
        return bool(self.label)
