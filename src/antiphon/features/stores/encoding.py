"""The stored form of data: one byte with the version of the form, then MessagePack."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from antiphon.explanations import explained

FORMAT = b"\x01"
"""The version that is written. Versions from earlier releases stay readable forever."""


def _plain(value: object) -> object:
    """Return the text or number in an instance of a subclass: a URL is text."""
    for kind in (str, int, float):
        if isinstance(value, kind):
            return kind(value)
    raise TypeError(type(value).__name__)


_write = msgspec.msgpack.Encoder(enc_hook=_plain).encode
_read = msgspec.msgpack.Decoder().decode
_read_data = msgspec.msgpack.Decoder(dict[str, Any]).decode


def encode_value(name: str, value: object) -> bytes:
    """Return a value in bytes. Raises TypeError, which names it, if it would not come back equal."""
    return check_same(name, value, _write, _read)


def check_same(name: str, value: object, write: Callable[[object], bytes], read: Callable[[bytes], object]) -> bytes:
    """Write a value, read it again, and return it as written. Raises TypeError if it differs."""
    if not isinstance(name, str):
        raise explained("not-storable", TypeError(f"a store keeps values under names, not under {name!r}"))
    try:
        written = write(value)
        again = read(written)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise explained("not-storable", TypeError(f"{name!r} can't be stored: {error}")) from error
    if again != value:
        raise explained(
            "not-storable",
            TypeError(
                f"{name!r} can't be stored: {value!r:.200} would come back as {again!r:.200}. Store what JSON has,"
                " bytes, and datetimes with a time zone"
            ),
        )
    return written


def decode_value(written: bytes) -> Any:
    """Return the value of these bytes. Raises ValueError for bytes without a value."""
    return _read(written)


def encode(data: Mapping[str, Any]) -> bytes:
    """Return data in bytes. Raises TypeError, which names the value, if one would not come back equal."""
    data = dict(data)
    try:
        written: bytes = _write(data)
        if _read_data(written) == data:
            return FORMAT + written
    except (TypeError, ValueError, OverflowError, RecursionError):
        pass
    for name, value in data.items():
        encode_value(name, value)
    raise explained("not-storable", TypeError(f"this can't be stored: {data!r:.200}"))


def encode_again(data: dict[str, Any]) -> bytes:
    """Return decoded data in bytes again."""
    return FORMAT + _write(data)


def decode(stored: bytes) -> dict[str, Any] | None:
    """Return the data of these bytes, or None, which is logged, if a later release or other software wrote them."""
    if stored[:1] != FORMAT:
        log_unknown(stored[:1])
        return None
    try:
        return _read_data(stored[1:])  # a copy is faster than a view, up to many kilobytes
    except ValueError as error:
        log_damaged(error)
        return None


def log_unknown(version: bytes | None) -> None:
    """Log that an entry counts as absent because it has another format."""
    logging.getLogger("antiphon").warning(
        "an entry of a store has the format %r, which this release of Antiphon can't read: it counts as absent", version
    )


def log_damaged(error: Exception) -> None:
    """Log that an entry counts as absent because it can't be read."""
    logging.getLogger("antiphon").error("an entry of a store is damaged, and counts as absent: %r", error)
