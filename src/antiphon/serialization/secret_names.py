"""Names of secrets, and values that look like secrets whatever their names."""

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

ANYWHERE = (
    *("password", "passwd", "passphrase", "secret", "token", "credential", "signature", "bearer", "jwt"),
    *("apikey", "accesskey", "privatekey", "secretkey", "signingkey", "encryptionkey", "masterkey"),
    *("authorization", "authorisation", "authentication", "assertion", "saml", "cookie", "session", "csrf", "xsrf"),
    *("clientcert", "sslcert", "passcode", "passkey", "mnemonic", "twofactor", "onetime", "2fa", "totp"),
    *("accesscode", "authcode", "backupcode", "confirmationcode", "invitecode", "logincode", "recoverycode"),
    *("resetcode", "securitycode", "smscode", "verificationcode", "verifycode", "magiclink"),
    *("passwort", "kennwort", "motdepasse", "contrasena", "contraseña", "senha", "wachtwoord", "пароль", "密码"),
    *("creditcard", "cardnumber", "ccnumber", "databaseurl", "dburl", "connectionstring", "conninfo"),
)
"""Text that occurs in secrets' names, without separators between the words."""
ALONE = frozenset("auth authn authz cvc cvv dsn iban mfa otp pass pin psw puk pw pwd salt sid ssn".split())  # noqa: SIM905
"""Words that are matched only as whole words."""
_AMBIGUOUS = frozenset(("code", "hash", "key", "link", "magic", "nonce", "state", "ticket"))
"""Names of secrets, such as OAuth's ``code``, and of other values, such as the code of a currency."""
_LINKS = frozenset(
    "activate activation confirm invitation invite join login magic recover reset signin unsubscribe verify".split()  # noqa: SIM905
)
"""Words in the paths of links in messages, before the secret."""
_words = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+").findall


def is_secret_name(name: str) -> bool:
    """Return True if the name of a value suggests a secret: ``api_key``, ``X-CSRF-Token``, ``userPassword``."""
    words = [word.lower() for word in _words(name[:200])]
    joined = f"{''.join(words)} {name[:200].lower()}"
    return any(each in joined for each in ANYWHERE) or not ALONE.isdisjoint(words)


_opaque = re.compile(r"(?<![^\W_])(?=[^\W_]*\d)(?=[^\W_]*[^\W\d_])[^\W_]{10,}").search
"""Find letters and digits in a row that are not words."""


def is_secret(name: str, value: Any) -> bool:
    """Return True if a value's name suggests a secret, or may suggest one and the value is not a word or a small
    number.
    """
    if is_secret_name(name):
        return True
    kind = type(value)  # the app's own classes are not called
    if name.lower() not in _AMBIGUOUS or kind is bool or not issubclass(kind, str | int):
        return False
    text = str.__str__(value) if issubclass(kind, str) else int.__repr__(value)
    return _is_code(text) if name.lower() == "code" else is_opaque(text)


def _is_code(text: str) -> bool:
    return len(text) >= 4 and any(map(str.isdigit, text)) and not any(map(str.isspace, text))


def is_opaque(text: str) -> bool:
    """Return True for a long word with letters and digits in a row, such as a random token, a hash or a UUID."""
    return len(text) >= 16 and _opaque(text[:200]) is not None and not any(map(str.isspace, text))


def secrets_of_path(path: str) -> Iterator[str]:
    """Yield the segments of a decoded path that look like a link's secret, since anybody with the link is let in."""
    before = ""
    for segment in path.split("/"):
        names_secret = is_secret_name(before) or not _LINKS.isdisjoint(map(str.lower, _words(before[:200])))
        if is_opaque(segment) or (names_secret and _is_code(segment)):
            yield segment
        before = segment


_LONGEST_NAME = 40
_NAMING = frozenset((
    *("attribute", "field", "header", "id", "k", "key", "kind", "label", "n", "name", "param", "parameter", "prompt"),
    *("property", "title", "type"),
))  # fmt: skip
"""Last words of the names of members that contain names."""


def named_items(items: Iterable[tuple[Any, Any]], as_text: Callable[[Any], str]) -> Iterator[tuple[str, Any, Any]]:
    """Yield a name, a key and a value for each item of a mapping.

    All values beside the name of a secret have that name, as in ``{"name": "password", "value": "..."}`` and
    ``{"columns": ["name", "password"], "rows": ...}``.
    """
    items = [*items]
    secret = next((name for key, value in items if (name := _secret_named_by(as_text(key), value, as_text))), "")
    for key, value in items:
        name = " ".join(map(as_text, key)) if type(key) is tuple else as_text(key)
        is_naming = bool(secret) and _secret_named_by(as_text(key), value, as_text) == secret
        yield (f"{secret} {name}" if secret and not is_naming else name), key, value


def _secret_named_by(key: str, value: Any, as_text: Callable[[Any], str]) -> str:
    if _words(key.lower())[-1:] and _words(key.lower())[-1] in _NAMING:
        return name_of_secret([value], as_text)
    return name_of_secret(value, as_text) if type(value) in (list, tuple) and len(value) > 1 else ""


def name_of_secret(names: Iterable[Any], as_text: Callable[[Any], str]) -> str:
    """Return the first of the names that is a secret's name; empty if there is none."""
    texts = (as_text(each) for each in islice(names, _LONGEST_NAME))
    return next((name for name in texts if len(name) <= _LONGEST_NAME and is_secret_name(name)), "")
