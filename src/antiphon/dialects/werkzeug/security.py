"""Password hashes compatible with Werkzeug's, and safe joining of paths."""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from typing import Any

from antiphon.dialects.werkzeug.utils import safe_join

__all__ = [
    "DEFAULT_PBKDF2_ITERATIONS", "SALT_CHARS", "check_password_hash", "gen_salt", "generate_password_hash",
    "pbkdf2_bin", "pbkdf2_hex", "safe_join", "safe_str_cmp",
]  # fmt: skip

SALT_CHARS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
DEFAULT_PBKDF2_ITERATIONS = 1_000_000

_SCRYPT = (2**15, 8, 1)


def gen_salt(length: int) -> str:
    """Return a random string of letters and digits. Raises ValueError if the length is less than 1."""
    if length <= 0:
        raise ValueError("Salt length must be at least 1.")
    return "".join([secrets.choice(SALT_CHARS) for _ in range(length)])


def generate_password_hash(password: str, method: str = "scrypt", salt_length: int = 16) -> str:
    """Return a hash to store, as ``method$salt$digits``. The method includes its parameters.

    The methods are ``scrypt:n:r:p`` (RFC 7914) and ``pbkdf2:hash:iterations`` (RFC 8018), with optional parameters.
    Raises ValueError for any other method.
    """
    salt = gen_salt(salt_length)
    method, digits = _hash(method, salt, password)
    return f"{method}${salt}${digits}"


def check_password_hash(pwhash: str, password: str) -> bool:
    """Return True if a hash matches the password. Raises ValueError for an unknown method."""
    parts = pwhash.split("$", 2)
    if len(parts) < 3:
        return False
    method, salt, digits = parts
    return hmac.compare_digest(_hash(method, salt, password)[1], digits)


def _hash(method: str, salt: str, password: str) -> tuple[str, str]:
    """Return the method with its parameters and the digits."""
    name, *parameters = method.split(":")
    if name not in _METHODS:
        raise ValueError(f"Invalid hash method {name!r}.")
    return _METHODS[name](parameters, salt.encode(), _as_bytes(password))


def _scrypt(parameters: list[str], salt: bytes, password: bytes) -> tuple[str, str]:
    try:
        n, r, p = map(int, parameters or _SCRYPT)
    except ValueError:
        raise ValueError("'scrypt' takes 3 arguments.") from None
    most = 132 * n * r * p  # 128 is the size of the data, to which OpenSSL adds some
    return f"scrypt:{n}:{r}:{p}", hashlib.scrypt(password, salt=salt, n=n, r=r, p=p, maxmem=most).hex()


def _pbkdf2(parameters: list[str], salt: bytes, password: bytes) -> tuple[str, str]:
    if len(parameters) > 2:
        raise ValueError("'pbkdf2' takes 2 arguments.")
    name = parameters[0] if parameters else "sha256"
    iterations = int(parameters[1]) if len(parameters) > 1 else DEFAULT_PBKDF2_ITERATIONS
    return f"pbkdf2:{name}:{iterations}", hashlib.pbkdf2_hmac(name, password, salt, iterations).hex()


_METHODS = {"scrypt": _scrypt, "pbkdf2": _pbkdf2}


def safe_str_cmp(a: str | bytes, b: str | bytes) -> bool:
    """Return True if two strings are equal, in a time that does not depend on where they differ."""
    return hmac.compare_digest(_as_bytes(a), _as_bytes(b))


def pbkdf2_bin(
    data: str | bytes,
    salt: str | bytes,
    iterations: int = 260_000,
    keylen: int | None = None,
    hashfunc: str | Callable[[], Any] | None = None,
) -> bytes:
    """Derive a key of ``keylen`` bytes (RFC 8018 §5.2), by default as long as the digest.

    The default hash function is SHA-256.
    """
    name = hashfunc().name if callable(hashfunc) else hashfunc or "sha256"
    return hashlib.pbkdf2_hmac(name, _as_bytes(data), _as_bytes(salt), iterations, keylen)


def pbkdf2_hex(
    data: str | bytes,
    salt: str | bytes,
    iterations: int = 260_000,
    keylen: int | None = None,
    hashfunc: str | Callable[[], Any] | None = None,
) -> str:
    """Return the result of ``pbkdf2_bin`` in hexadecimal."""
    return pbkdf2_bin(data, salt, iterations, keylen, hashfunc).hex()


def _as_bytes(value: str | bytes) -> bytes:
    return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
