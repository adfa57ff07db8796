"""Passwords. Only slow hashes of them are kept."""

from secrets import token_urlsafe
from unicodedata import normalize

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

hasher = PasswordHasher()


def hash_password(password: str) -> str:
    return hasher.hash(normalize("NFKC", password))  # however a keyboard writes "é"


def is_password(password: str, hashed: str) -> bool:
    try:
        return hasher.verify(hashed, normalize("NFKC", password))
    except VerificationError:
        return False


NOBODYS = hash_password(token_urlsafe())
