"""Encryption of what features keep in stores."""

import hmac
from os import urandom

from antiphon import explained
from antiphon.embedding import missing_package
from antiphon.types import SecretKeys

_NONCE = 12
"""The size of an AES-GCM nonce in bytes."""


class Seal:
    """Encryption with keys derived from an application's secret keys: the newest key encrypts, and all decrypt.

    ``purpose`` separates the keys of a ``feature``, and ``extra`` installs cryptography for it. Raises RuntimeError if
    there is no key, and ModuleNotFoundError, naming the extra, if cryptography isn't installed.
    """

    def __init__(
        self,
        keys: SecretKeys,
        purpose: bytes = b"antiphon records requests",
        *,
        feature: str = "Recorder",
        extra: str = "recorder",
    ) -> None:
        try:
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        except ModuleNotFoundError as error:
            raise missing_package(error, extra) from None
        if not keys:
            raise explained(
                "no-secret-key",
                f"{feature} encrypts what it keeps: App(secret_keys=[...]) must have a key;"
                " secrets.token_urlsafe(32) makes one",
                RuntimeError,
            )
        self._ciphers: list[AESGCM] = [
            AESGCM(hmac.digest(key, purpose, "sha256")) for key in reversed(keys.oldest_first)
        ]

    def close(self, data: bytes, about: str) -> bytes:
        """Encrypt data so that it can be decrypted only with the same ``about``."""
        nonce = urandom(_NONCE)
        return nonce + self._ciphers[0].encrypt(nonce, data, about.encode())

    def open(self, sealed: bytes, about: str) -> bytes | None:
        """Decrypt data, or return None if no key decrypts it."""
        from cryptography.exceptions import InvalidTag

        for cipher in self._ciphers:
            try:
                return cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], about.encode())
            except InvalidTag:
                continue
        return None
