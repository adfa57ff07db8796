"""The certificate and the private key of `antiphon run`: checked when the server starts, and watched for a renewal."""

import asyncio
import os
import ssl
from collections.abc import AsyncIterator, Sequence

_PAUSE = 2.0
"""Seconds between two looks at the files."""


def explain_unusable(certificate: str, key: str) -> str:
    """Return why a server can't use these files, as the end of a sentence; empty if it can."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password=_refuse_encrypted)
    except _EncryptedKey:
        return "the key is encrypted: write it without a password, readable by the server alone"
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            return "the key is not that of the certificate"
        return "they must be a certificate and its private key in PEM"
    except OSError:
        return next(filter(None, map(_unread, (certificate, key))), "they can't be read")
    return ""


def _unread(path: str) -> str:
    try:
        with open(path, "rb"):
            return ""
    except OSError as error:
        return f"{path}: {error.strerror}"


class _EncryptedKey(Exception):
    """The private key has a password."""


def _refuse_encrypted() -> str:
    raise _EncryptedKey


async def renewals(files: tuple[str, str]) -> AsyncIterator[None]:
    """Yield each time the files of a certificate and its key have changed and belong together, as after a renewal."""
    last = _versions(files)
    while True:
        await asyncio.sleep(_PAUSE)
        now = _versions(files)
        if now != last and not explain_unusable(*files) and _versions(files) == now:
            last = now
            yield


def _versions(files: Sequence[str]) -> list[tuple[int, int]]:
    """Return what changes in a file when it is written or replaced; nothing for one that is missing for a moment."""
    found = [os.stat(path) for path in files if os.path.exists(path)]
    return [(each.st_mtime_ns, each.st_ino) for each in found]
