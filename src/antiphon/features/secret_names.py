"""Names of secrets, marks of secret members, and values that look like secrets whatever their names."""

import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import islice
from types import ModuleType
from typing import Any, TypeAlias, get_type_hints
from unicodedata import normalize

ANYWHERE = (
    *("password", "passwd", "passphrase", "secret", "token", "credential", "signature", "bearer", "jwt"),
    *("api_key", "access_key", "private_key", "secret_key", "signing_key", "encryption_key", "master_key", "ssh_key"),
    *("recovery_key", "shared_key", "wifi_key"),
    *("authorization", "authorisation", "authentication", "assertion", "saml", "cookie", "session", "csrf", "xsrf"),
    *("client_cert", "ssl_cert", "passcode", "passkey", "mnemonic", "two_factor", "one_time", "2fa", "totp"),
    *("access_code", "activation_code", "auth_code", "backup_code", "confirmation_code", "device_code", "invite_code"),
    *("login_code", "pairing_code", "recovery_code", "reset_code", "security_code", "sms_code", "unlock_code"),
    *("verification_code", "verify_code", "code_verifier", "magic_link", "security_answer", "seed_phrase"),
    *("seed_words", "backup_phrase", "recovery_phrase"),
    *("passwort", "kennwort", "mot_de_passe", "contrasena", "contraseña", "senha", "wachtwoord", "пароль", "密码"),
    *("credit_card", "card_number", "cc_number", "account_number", "social_security", "database_url", "db_url"),
    *("connection_string", "conninfo"),
)
"""Text that occurs in secrets' names, in which ``_`` stands for any separator, or none."""
_JOINED = tuple([each.replace("_", "") for each in ANYWHERE])
ALONE = frozenset("auth authn authz cvc cvv dsn iban mfa otp pass pin psk psw puk pw pwd salt sid ssn".split())  # noqa: SIM905
"""Words that are matched only as whole words."""
_AMBIGUOUS = frozenset(("code", "hash", "key", "link", "magic", "nonce", "state", "ticket"))
"""Names of secrets, such as OAuth's ``code``, and of other values, such as the code of a currency."""
_LINKS = frozenset(
    "activate activation confirm invitation invite join login magic recover reset signin unsubscribe verify".split()  # noqa: SIM905
)
"""Words in the paths of links in messages, before the secret."""
_LONGEST_SEARCHED = 200
_words = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+").findall


_UNMARKED = sys.stdlib_module_names | {"antiphon"}
"""The packages whose modules have no models with marks."""


class Secret:
    """A mark for model members whose values are never kept: ``pin: Annotated[str, Secret]``. Provisional.

    ``Recorder`` replaces each field of a request that has the same name as such a member.
    """


class Personal:
    """A mark for model members that are personal data: ``email: Annotated[str, Personal]``. Provisional.

    ``antiphon audit`` lists the routes that receive or send such a member, and those that send it to anyone.
    """


def encoded_names(model: type) -> dict[str, str]:
    """Return the names of a msgspec struct's members in JSON, by their names in Python."""
    names: Any = getattr(model, "__struct_fields__", ())
    return dict(zip(names, getattr(model, "__struct_encode_fields__", ()), strict=False))


def is_marked_as(mark: type, hint: Any) -> bool:
    """Return True if a member's annotation has a mark, or an instance of it, at any depth."""
    if any(each is mark or isinstance(each, mark) for each in getattr(hint, "__metadata__", ())):
        return True
    return any(is_marked_as(mark, each) for each in getattr(hint, "__args__", ()))


def marked_names() -> frozenset[str]:
    """Return the names of the members that models mark as ``Secret``, in all modules that import this mark."""
    found: set[str] = set()
    places = {id(Secret), *[id(sys.modules[name]) for name in ("antiphon", "antiphon.features") if name in sys.modules]}
    for module in [*sys.modules.values()]:
        names = getattr(module, "__dict__", None)
        if not isinstance(module, ModuleType) or not names or module.__name__.partition(".")[0] in _UNMARKED:
            continue
        held = [*names.values()]
        for each in () if places.isdisjoint(map(id, held)) else held:
            if issubclass(type(each), type):  # proxies report the __class__ of other objects
                found.update(_marked_in(each))
    return frozenset(found)


def _marked_in(model: type) -> Iterable[str]:
    """Yield the Python and JSON names of marked members."""
    with suppress(Exception):  # any class's annotations, which may contain names that only type checkers can resolve
        encoded = encoded_names(model)
        for name, hint in get_type_hints(model, include_extras=True).items():
            if is_marked_as(Secret, hint):
                yield name
                yield encoded.get(name, name)


def is_secret_name(name: str) -> bool:
    """Return True if the name of a value suggests a secret: ``api_key``, ``X-CSRF-Token``, ``userPassword``."""
    name = name[:_LONGEST_SEARCHED]
    name = name if name.isascii() else normalize("NFKC", name)  # full-width letters, as Japanese keyboards write them
    words = [word.lower() for word in _words(name)]
    joined = f"{''.join(words)} {name.lower()}"
    return any(each in joined for each in _JOINED) or not ALONE.isdisjoint(words)


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
_POINTING = frozenset(("from", "path", "pointer"))
"""Last words of the names of members that contain a path to a member, such as a JSON Pointer."""
_POINTED_AT = frozenset(("new", "old", "op", "value", "values"))
"""The names of members of which one is beside such a path; it isn't beside the path of a file or a URL."""
_OPERATIONS = frozenset(("add", "copy", "move", "remove", "replace", "test"))

IsName: TypeAlias = Callable[[str], bool]


def named_items(
    items: Iterable[tuple[Any, Any]], as_text: Callable[[Any], str], is_name: IsName = is_secret_name
) -> Iterator[tuple[str, Any, Any]]:
    """Yield a name, a key and a value for each item of a mapping.

    All values beside the name of a secret have that name, as in ``{"name": "password", "value": "..."}``,
    ``{"op": "add", "path": "/user/password", "value": "..."}`` and ``{"columns": ["name", "password"], "rows": ...}``.
    """
    items = [*items]
    points = any(as_text(key).lower() in _POINTED_AT for key, _ in items)
    secrets = [_secret_named_by(as_text(key), value, as_text, is_name, points) for key, value in items]
    secret = next(filter(None, secrets), "")
    for (key, value), named in zip(items, secrets, strict=True):
        name = " ".join(map(as_text, key)) if type(key) is tuple else as_text(key)
        is_named = bool(secret) and named != secret and not (points and _is_of_patch(name, as_text(value)))
        yield (secret if is_named else name), key, value


def _is_of_patch(name: str, value: str) -> bool:
    """Return True for an operation or a pointer of a JSON Patch (RFC 6902 §4), which says what happens to a value."""
    return value.lower() in _OPERATIONS if name == "op" else name in _POINTING and value.startswith("/")


def _secret_named_by(key: str, value: Any, as_text: Callable[[Any], str], is_name: IsName, points: bool) -> str:
    last = _words(key.lower())[-1:]
    if points and not _POINTING.isdisjoint(last):
        return _secret_pointed_at(as_text(value), is_name)
    if not _NAMING.isdisjoint(last):
        return name_of_secret([value], as_text, is_name)
    return name_of_secret(value, as_text, is_name) if type(value) in (list, tuple) and len(value) > 1 else ""


def _secret_pointed_at(path: str, is_name: IsName) -> str:
    """Return the secret's name in a path to a member (RFC 6901 §3), or its last name if that may be a secret's.

    A path that is too long to be read has one.
    """
    if len(path) > _LONGEST_SEARCHED:
        return "secret"
    names = [each.replace("~1", "/").replace("~0", "~") for each in path.split("/")]
    last = names[-1] if names[-1].lower() in _AMBIGUOUS else ""
    return next(filter(is_name, [*names, " ".join(names)]), last)


def name_of_secret(names: Iterable[Any], as_text: Callable[[Any], str], is_name: IsName = is_secret_name) -> str:
    """Return the first of the names that is a secret's name; empty if there is none."""
    texts = (as_text(each) for each in islice(names, _LONGEST_NAME))
    return next((name for name in texts if len(name) <= _LONGEST_NAME and is_name(name)), "")
