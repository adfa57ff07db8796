"""Credentials and challenges (RFC 9110 §11), each with parameters or a token."""

import binascii
from collections.abc import Iterable, Mapping
from typing import Any, Self

from antiphon.dialects.werkzeug.datastructures.dicts import CallbackDict
from antiphon.dialects.werkzeug.tokens import dump_header, parse_dict_header, quote_header_value
from antiphon.http.grammar import OWS

_ALWAYS_QUOTED = frozenset({"realm", "domain", "nonce", "opaque", "qop"})


class _SchemeAndParameters:
    """The base class of credentials and challenges: a scheme with parameters or a token."""

    type: Any
    token: Any
    parameters: Any

    def __init__(self, auth_type: str, parameters: Any = None, token: str | None = None) -> None:
        raise NotImplementedError

    @classmethod
    def from_header(cls, value: str | None) -> Self | None:
        """Parse a header's value. Return None if it is empty."""
        return cls(*_read(value)) if value else None

    def to_header(self) -> str:
        scheme = self.type.title()
        if self.token is not None:
            return f"{scheme} {self.token}"
        written = self._printed_parameters()
        return f"{scheme} {written}" if written else scheme

    def _printed_parameters(self) -> str:
        return dump_header(self.parameters)

    def get(self, key: str, default: Any = None) -> Any:
        """Return a parameter, or ``default`` if it is missing."""
        return self.parameters.get(key, default)

    def __getitem__(self, key: str) -> Any:
        return self.parameters.get(key)

    def __contains__(self, key: str) -> bool:
        return key in self.parameters

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, type(self)):
            return NotImplemented
        return (self.type, self.token, self.parameters) == (other.type, other.token, other.parameters)

    __hash__ = None  # type: ignore[assignment]  # mutable

    def __str__(self) -> str:
        return self.to_header()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.to_header()}>"


class Authorization(_SchemeAndParameters):
    """Credentials: a scheme, ``type``, and either ``parameters``, which are also attributes, or a ``token``.

    Missing parameters are None.
    """

    def __init__(self, auth_type: str, data: dict[str, str | None] | None = None, token: str | None = None) -> None:
        self.type = auth_type
        self.parameters: dict[str, str | None] = {} if data is None else data
        self.token = token

    @classmethod
    def from_header(cls, value: str | None) -> Self | None:
        """Parse a header's value. Return None if it is empty, or if Basic credentials are not UTF-8 in Base64."""
        if not value:
            return None
        scheme, parameters, token = _read(value)
        if scheme != "basic":
            return cls(scheme, parameters, token)
        pair = _read_basic(token)
        return None if pair is None else cls(scheme, pair)

    def _printed_parameters(self) -> str:
        if self.type != "basic":
            return super()._printed_parameters()
        pair = f"{self.get('username')}:{self.get('password')}".encode()
        return binascii.b2a_base64(pair, newline=False).decode()

    def __getattr__(self, name: str) -> Any:
        if name == "parameters":  # not set yet while the object is copied or unpickled
            raise AttributeError(name)
        return self.parameters.get(name)


class WWWAuthenticate(_SchemeAndParameters):
    """A challenge: a scheme, ``type``, and either ``parameters``, which are also attributes and items, or a ``token``.

    Setting any of them changes the response's header. Missing parameters are None.
    """

    _OWN = frozenset({"_type", "_parameters", "_token", "_on_update"})

    def __init__(
        self, auth_type: str = "basic", values: Mapping[str, str | None] | None = None, token: str | None = None
    ) -> None:
        own = self.__dict__  # bypass __setattr__, which treats other names as parameters
        own["_on_update"] = None
        own["_type"] = auth_type.lower()
        own["_token"] = token
        own["_parameters"] = CallbackDict(values, self._tell)

    def _tell(self, _: object = None) -> None:
        if self._on_update is not None:
            self._on_update(self)

    @property
    def type(self) -> str:
        """The scheme, such as "basic"."""
        return self._type

    @type.setter  # noqa: A003 - Werkzeug's name
    def type(self, value: str) -> None:
        self._type = value
        self._tell()

    @property
    def parameters(self) -> Any:
        """The parameters. Changes to them change the challenge."""
        return self._parameters

    @parameters.setter
    def parameters(self, value: Mapping[str, str | None]) -> None:
        self._parameters = CallbackDict(value, self._tell)
        self._tell()

    @property
    def token(self) -> str | None:
        """The token that replaces parameters, or None."""
        return self._token

    @token.setter
    def token(self, value: str | None) -> None:
        self._token = value
        self._tell()

    def set_basic(self, realm: str = "authentication required") -> None:
        """Request a user name and password. Werkzeug had this method up to version 2."""
        self._type = "basic"
        self.parameters = {"realm": realm}

    def set_digest(
        self,
        realm: str,
        nonce: str,
        qop: Iterable[str] = ("auth",),
        opaque: str | None = None,
        algorithm: str | None = None,
        stale: bool = False,
    ) -> None:
        """Request Digest credentials. Werkzeug had this method up to version 2."""
        given = {"realm": realm, "nonce": nonce, "qop": ", ".join(qop), "opaque": opaque, "algorithm": algorithm}
        self._type = "digest"
        self.parameters = {name: value for name, value in given.items() if value is not None} | (
            {"stale": "TRUE"} if stale else {}
        )

    def _printed_parameters(self) -> str:
        if self.type != "digest":
            return super()._printed_parameters()
        parameters = self.parameters.items()
        return ", ".join(
            [f"{name}={quote_header_value(value, name not in _ALWAYS_QUOTED)}" for name, value in parameters]
        )

    def __setitem__(self, key: str, value: str | None) -> None:
        if value is None:
            del self[key]
        else:
            self.parameters[key] = value

    def __delitem__(self, key: str) -> None:
        if key in self.parameters:
            del self.parameters[key]

    def __getattr__(self, name: str) -> Any:
        return self[name]

    def __reduce__(self) -> tuple[Any, ...]:
        # Leave out _on_update, since a copy belongs to no response.
        return type(self), (self._type, dict(self._parameters), self._token)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in WWWAuthenticate._OWN or isinstance(getattr(type(self), name, None), property):
            super().__setattr__(name, value)
        else:
            self[name] = value

    def __delattr__(self, name: str) -> None:
        del self[name]


def _read(value: str) -> tuple[str, dict[str, str | None] | None, str | None]:
    """Return the scheme in lower case, the parameters and the token. A token contains `=` only at its end."""
    scheme, _, rest = value.partition(" ")
    rest = rest.strip(OWS)
    if "=" in rest.rstrip("="):
        return scheme.lower(), parse_dict_header(rest), None
    return scheme.lower(), None, rest


def _read_basic(token: str | None) -> dict[str, str | None] | None:
    if token is None:
        return None
    try:
        username, _, password = binascii.a2b_base64(token, strict_mode=True).decode().partition(":")
    except ValueError:
        return None
    return {"username": username, "password": password}
