"""Authentication: credentials and challenges (RFC 9110 §11) of Basic (RFC 7617), Bearer (RFC 6750), Digest (RFC 7616)
and other schemes.

Only `str()` prints secrets; `repr()` and error messages never contain them.
"""

import binascii
import re
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import ClassVar, Self

from antiphon.explanations import explained
from antiphon.http.grammar import (
    SENT_QUOTED_STRING,
    TCHARS,
    Value,
    find_unsendable,
    is_token,
    quote_if_needed,
    quote_string,
    read_extended,
    split_list,
    unquote_string,
)
from antiphon.lazy import compiled_late

_MOST_ELEMENTS = 200
# Wider than a token: AWS4-HMAC-SHA256 and others send slashes, colons and semicolons without quotes.
_UNQUOTED = r"[\x21\x23-\x2b\x2d-\x7e\x80-\xff]++"

_scheme = compiled_late(rf"({TCHARS})(?:[ \t]++(?!=)(.*)|\Z)", re.DOTALL)
_parameter = compiled_late(rf"({TCHARS})[ \t]*+=[ \t]*+({SENT_QUOTED_STRING}|{_UNQUOTED})", re.DOTALL)
_token68 = compiled_late(r"[A-Za-z0-9\-._~+/]++=*+")
# Wider than token68: issuers put other visible characters into their tokens.
_CREDENTIAL = r"[\x21\x23-\x2b\x2d-\x3c\x3e-\x7e]++=*+"
_credentials = compiled_late(rf"[ \t]*+({TCHARS})(?:[ \t]++(?:({_CREDENTIAL})[ \t]*+\Z|(?!=)(.*))|\Z)", re.DOTALL)
_control = compiled_late(r"[\x00-\x1f\x7f]")
_scope = compiled_late(r"[!#-\[\]-~]++(?>(?: [!#-\[\]-~]++)*)")
_error = compiled_late(r"[ !#-\[\]-~]++")


class _SchemeAndParameters(Value):
    """A scheme with a token or with parameters: credentials or a challenge (RFC 9110 §11.3, §11.4)."""

    __slots__ = ("_parameters", "_scheme", "_token")

    _scheme: str
    _token: str | None
    _parameters: dict[str, str]
    _unquoted_in_digest: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, scheme: str, parameters: Mapping[str, str] | None = None, *, token: str | None = None) -> None:
        """Raises ValueError for values that can't be sent unchanged, and for a token together with parameters."""
        if not is_token(scheme):
            raise explained("bad-http-value", f"a scheme must be a token, not {scheme!r}")
        if token is not None and (parameters or not isinstance(token, str) or not _token68.fullmatch(token)):
            raise explained(
                "bad-http-value", f"{scheme} takes parameters or a token of letters, digits, -._~+/ and = at its end"
            )
        self._scheme = scheme
        self._token = token
        self._parameters = {name.lower(): _sendable(name, value) for name, value in (parameters or {}).items()}

    @property
    def scheme(self) -> str:
        """The scheme in lower case, such as "basic"."""
        return self._scheme.lower()

    @property
    def token(self) -> str | None:
        """The token of a scheme without parameters, such as a bearer token; None if there is no token."""
        return self._token

    @property
    def parameters(self) -> Mapping[str, str]:
        """The parameters, unquoted, by lower-cased name; read-only."""
        return MappingProxyType(self._parameters)

    def __str__(self) -> str:
        """Return the header's value. All parameters are quoted except those that RFC 7616 requires unquoted."""
        if self._token is not None:
            return f"{self._scheme} {self._token}"
        unquoted = self._unquoted_in_digest if self.scheme == "digest" else ()
        printed = [
            f"{name}={quote_if_needed(value) if name in unquoted else quote_string(value)}"
            for name, value in self._parameters.items()
        ]
        return f"{self._scheme} {', '.join(printed)}" if printed else self._scheme

    def _identity(self) -> tuple[str, str | None, frozenset[tuple[str, str]]]:
        return self.scheme, self._token, frozenset(self._parameters.items())


class Authorization(_SchemeAndParameters):
    """The credentials of a request: `Authorization` or `Proxy-Authorization` (RFC 9110 §11.6.2, §11.7.2). Immutable.

        credentials = Authorization("Bearer", token="abc")

    `Authorization("Digest", {"username": ...})` has parameters, `Authorization("Bearer", token=...)` a token. `==`
    doesn't run in constant time: compare secrets with `antiphon.features.is_same_secret`.
    """

    __slots__ = ("_password", "_username")

    _username: str | None
    _password: str | None
    _unquoted_in_digest = frozenset({"algorithm", "nc", "qop", "userhash", "username*"})

    def __init__(self, scheme: str, parameters: Mapping[str, str] | None = None, *, token: str | None = None) -> None:
        """Raises ValueError for credentials that `parse` would refuse, or that can't be sent unchanged."""
        super().__init__(scheme, parameters, token=token)
        self._complete()

    @classmethod
    def basic(cls, username: str, password: str) -> Self:
        """Make Basic credentials, encoded in UTF-8. Raises ValueError for a colon in the name, and for control
        characters (RFC 7617 §2).
        """
        if ":" in username or _control.search(username) or _control.search(password):
            raise explained(
                "bad-http-value",
                "a username can't contain a colon, and neither it nor the password may contain control characters",
            )
        try:
            pair = f"{username}:{password}".encode()
        except UnicodeEncodeError:
            raise explained("bad-http-value", "a username or password contains a lone surrogate") from None
        return cls("Basic", token=binascii.b2a_base64(pair, newline=False).decode())

    @classmethod
    def bearer(cls, token: str) -> Self:
        """Make Bearer credentials. The token must consist of letters, digits, `-._~+/`, and trailing `=` (RFC 6750
        §2.1).

        Raises ValueError for other characters.
        """
        return cls("Bearer", token=token)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a header's value. Raises ValueError if it is malformed; the message never repeats the value.

        A repeated parameter, more than 200 parameters, Bearer without a token, and Basic without a name and password or
        with control characters in them are also malformed. Tokens and unquoted values may contain characters that the
        RFC doesn't allow.
        """
        credentials = _credentials.match(text)
        if credentials is None:
            raise ValueError("credentials must begin with a scheme")
        self = cls.__new__(cls)
        self._scheme, self._token, written = credentials.groups()
        self._parameters = _read_parameters(written) if written else {}
        self._complete()
        return self

    def _complete(self) -> None:
        scheme = self.scheme
        self._username = self._password = None
        if scheme in ("basic", "bearer") and self._token is None:
            raise ValueError(f"{scheme} credentials need a token")
        if scheme == "basic":
            self._username, self._password = _read_basic(self._token or "")
        elif scheme == "digest":
            self._username = _digest_username(self._parameters)

    @property
    def username(self) -> str | None:
        """The user name in Basic and Digest credentials; None for other schemes. If Digest has `userhash=true`, it is a
        hash.
        """
        return self._username

    @property
    def password(self) -> str | None:
        """The password in Basic credentials, decoded as UTF-8 or, if that fails, as Latin-1; None for other schemes."""
        return self._password

    def __repr__(self) -> str:
        who = "" if self._username is None else f" of {self._username!r}"
        return f"<Authorization: {self._scheme}{who}>"


class Challenge(_SchemeAndParameters):
    """A demand for credentials, in `WWW-Authenticate` or `Proxy-Authenticate` (RFC 9110 §11.6.1, §11.7.1). Immutable.

        challenge = Challenge("Basic", {"realm": "shop"})

    A header may contain several challenges: `", ".join(map(str, challenges))` prints them, and `parse_challenges` reads
    them.
    """

    __slots__ = ()

    _unquoted_in_digest = frozenset({"algorithm", "charset", "stale", "userhash"})

    @classmethod
    def basic(cls, realm: str, charset: str | None = "UTF-8") -> Self:
        """Ask for a name and password. Raises ValueError for a charset other than UTF-8 (RFC 7617 §2.1)."""
        return cls("Basic", {"realm": realm} | _given(charset=_checked_charset(charset)))

    @classmethod
    def bearer(
        cls,
        realm: str | None = None,
        *,
        scope: str | Collection[str] | None = None,
        error: str | None = None,
        error_description: str | None = None,
        error_uri: str | None = None,
    ) -> Self:
        """Ask for a token with a scope, and say what was wrong with the token that was sent (RFC 6750 §3).

        `error` is "invalid_request", "invalid_token" or "insufficient_scope" (§3.1). Raises ValueError if no argument
        is given, and for values with quotes, backslashes or non-ASCII characters.
        """
        scope = scope if scope is None or isinstance(scope, str) else " ".join(scope)
        if scope is not None and not _scope.fullmatch(scope):
            raise explained(
                "bad-http-value", f"a scope must be visible ASCII without quotes and backslashes, not {scope!r}"
            )
        about = _given(error=error, error_description=error_description, error_uri=error_uri)
        for name, value in about.items():
            if not _error.fullmatch(value) or (name == "error_uri" and " " in value):
                raise explained("bad-http-value", f"{name} must be ASCII without quotes and backslashes, not {value!r}")
        parameters = _given(realm=realm, scope=scope) | about
        if not parameters:
            raise explained("bad-http-value", "a Bearer challenge needs at least one of realm, scope and error")
        return cls("Bearer", parameters)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a header's value with one challenge. Raises ValueError unless there is exactly one."""
        challenges = _read_challenges(text)
        if len(challenges) != 1:
            raise ValueError(f"expected one challenge, not {len(challenges)}")
        scheme, parameters, token = challenges[0]
        return cls(scheme, parameters, token=token)

    @property
    def realm(self) -> str | None:
        """The human-readable name of the protected area (RFC 9110 §11.5); None if it has no name."""
        return self._parameters.get("realm")

    def __repr__(self) -> str:
        return f"<Challenge: {self._scheme}{f' {self._parameters}' if self._parameters else ''}>"


def parse_challenges(header: str) -> list[Challenge]:
    """Return the challenges in a header's value, in order (RFC 9110 §11.6.1). Never raises.

    Malformed parameters are skipped. If a parameter is repeated, the first one applies. Only the first 200 elements
    between commas are read. An unclosed quote extends to the end of the header.
    """
    return [Challenge(scheme, parameters, token=token) for scheme, parameters, token in _read_challenges(header)]


def _read_challenges(header: str) -> list[tuple[str, dict[str, str], str | None]]:
    challenges: list[tuple[str, dict[str, str], str | None]] = []
    parameters: dict[str, str] = {}
    for written in split_list(header)[:_MOST_ELEMENTS]:
        if start := _scheme.match(written):
            written = start[2] or ""  # noqa: PLW2901 - the rest of the element
            token = written if _token68.fullmatch(written) else None
            parameters = {}
            challenges.append((start[1], {} if token else parameters, token))
        if parameter := _parameter.fullmatch(written):
            parameters.setdefault(parameter[1].lower(), unquote_string(parameter[2]))
    return challenges


def _read_parameters(written: str) -> dict[str, str]:
    elements = split_list(written)
    matches = [match for element in elements[:_MOST_ELEMENTS] if (match := _parameter.fullmatch(element))]
    parameters = {match[1].lower(): unquote_string(match[2]) for match in matches}
    if len(parameters) != len(elements):
        raise ValueError("credentials with a malformed or repeated parameter, or with too many parameters")
    return parameters


def _read_basic(token: str) -> tuple[str, str]:
    try:
        pair = binascii.a2b_base64(token, strict_mode=True)
    except ValueError:
        raise ValueError("Basic credentials must be in Base64") from None
    try:
        text = pair.decode()
    except UnicodeDecodeError:
        text = pair.decode("latin-1")
    username, colon, password = text.partition(":")
    if not colon or (not text.isprintable() and _control.search(text)):
        raise ValueError("Basic credentials must be a name, a colon and a password, without control characters")
    return username, password


def _digest_username(parameters: Mapping[str, str]) -> str | None:
    """Return the name in `username`, or in `username*`, which may contain any characters (RFC 7616 §3.4)."""
    if "username" in parameters or "username*" not in parameters:
        return parameters.get("username")
    username = read_extended(parameters["username*"])
    return None if username is None or _control.search(username) else username


def _sendable(name: str, value: object) -> str:
    if not is_token(name):
        raise explained("bad-http-value", f"a parameter's name must be a token, not {name!r}")
    if not isinstance(value, str) or find_unsendable(value):
        raise explained("bad-http-value", f"the parameter {name} must be Latin-1 text without control characters")
    return value


def _given(**parameters: str | None) -> dict[str, str]:
    return {name: value for name, value in parameters.items() if value is not None}


def _checked_charset(charset: str | None) -> str | None:
    if charset is not None and charset.upper() != "UTF-8":
        raise explained("bad-http-value", f"the charset must be UTF-8 or None, not {charset!r}")
    return charset
