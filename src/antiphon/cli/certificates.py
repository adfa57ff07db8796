"""The certificate and the private key of `antiphon run`: checked when the server starts, and watched for a renewal."""

import asyncio
import os
import re
import ssl
import time
from base64 import b64decode
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


_validity = re.compile(
    rb"\x30[\x1e-\x22](?:\x17\x0d|\x18\x0f)(\d{12,14})Z(?:\x17\x0d|\x18\x0f)(\d{12,14})Z", re.DOTALL
).search
"""Find the two times of a certificate (RFC 5280 §4.1.2.5)."""


def explain_untimely(certificate: str) -> str:
    """Return a sentence about a certificate that has expired or is not valid yet; empty for any other."""
    with open(certificate, encoding="ascii", errors="replace") as file:
        own = file.read().partition("-----BEGIN CERTIFICATE-----")[2].partition("-----END")[0]
    found = _validity(b64decode(own))
    now = time.strftime("%Y%m%d%H%M%S", time.gmtime())
    begins, ends = (_with_century(each.decode()) for each in found.groups()) if found else (now, now)
    if begins <= now <= ends:
        return ""
    when, what = (ends, "has expired") if now > ends else (begins, "is not valid yet")
    return f"The certificate {what} ({when[:4]}-{when[4:6]}-{when[6:8]}), so clients refuse it."


def _with_century(when: str) -> str:
    return when if len(when) == 14 else f"{'19' if when >= '50' else '20'}{when}"


async def renewals(files: tuple[str, str], pause: float = _PAUSE) -> AsyncIterator[str]:
    """Yield "" each time the files of a certificate and its key have changed and belong together, as after a renewal.

    Yields the reason, once, if they have changed and can't be used, unless that lasts only while they are written.
    """
    last = before = _versions(files)
    while True:
        await asyncio.sleep(pause)
        now = _versions(files)
        reason = explain_unusable(*files) if now != last else ""
        if now != last and _versions(files) == now and (not reason or before == now):
            last = now
            yield reason
        before = now


async def wait_usable(files: tuple[str, str], pause: float = _PAUSE) -> None:
    """Wait until a server can use the files. Those that have read them before go on with what they have."""
    while explain_unusable(*files):
        await asyncio.sleep(pause)


def _versions(files: Sequence[str]) -> list[tuple[int, int]]:
    """Return what changes in a file when it is written or replaced; nothing for one that is missing for a moment."""
    found = [os.stat(path) for path in files if os.path.exists(path)]
    return [(each.st_mtime_ns, each.st_ino) for each in found]
