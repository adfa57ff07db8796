"""Cookies: formatting, parsing and signing them, and cookie profiles for requests and responses."""

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from time import time
from typing import Any, Protocol, Self, TypedDict, Unpack

from antiphon.dialects.webob._cookies import (
    ATTRIBUTES,
    RequestCookies,
    escape,
    is_cookie_name,
    is_plain,
    print_attributes,
    print_value,
    quote,
    read_cookies,
    to_bytes,
    without_controls,
)
from antiphon.http import format_http_date, parse_cookies


class Serializer(Protocol):
    """An object that converts values to bytes and back. Malformed bytes raise ValueError."""

    def dumps(self, appstruct: Any, /) -> bytes: ...

    def loads(self, bstruct: bytes, /) -> Any:
        """Deserialize a value. Raises ValueError if the bytes are malformed."""


class JSONSerializer:
    """A serializer of values as JSON in UTF-8."""

    def dumps(self, appstruct: Any) -> bytes:
        """Serialize a value. Raises TypeError if JSON can't represent it."""
        return json.dumps(appstruct).encode()

    def loads(self, bstruct: str | bytes) -> Any:
        """Deserialize a value. Raises ValueError if the bytes are malformed."""
        return json.loads(bstruct if isinstance(bstruct, str) else bstruct.decode())


class Base64Serializer:
    """A serializer that encodes another one's bytes, by default a ``JSONSerializer``'s, in URL-safe base64 (RFC 4648
    §5).
    """

    def __init__(self, serializer: Serializer | None = None) -> None:
        self.serializer = serializer or JSONSerializer()

    def dumps(self, appstruct: Any) -> bytes:
        return urlsafe_b64encode(self.serializer.dumps(appstruct))

    def loads(self, bstruct: str | bytes) -> Any:
        """Deserialize a value. Raises ValueError if the bytes are malformed."""
        return self.serializer.loads(_decoded(to_bytes(bstruct)))


class SignedSerializer:
    """A serializer that signs another one's bytes, by default a ``JSONSerializer``'s, with an HMAC.

    The result is base64 without padding. The key is the ``salt``, which identifies the purpose, followed by the
    ``secret``. ``hashalg`` names a hashlib algorithm.
    """

    def __init__(
        self, secret: str | bytes, salt: str | bytes, hashalg: str = "sha512", serializer: Serializer | None = None
    ) -> None:
        """Create a serializer. Raises ValueError if hashlib does not support the algorithm."""
        self.salt = salt
        self.secret = secret
        self.hashalg = hashalg
        try:
            self.salted_secret = to_bytes(salt or "") + to_bytes(secret)
        except UnicodeEncodeError:
            self.salted_secret = to_bytes(salt or "", "utf-8") + to_bytes(secret, "utf-8")
        self.digest_size = hashlib.new(hashalg).digest_size
        self.serializer = serializer or JSONSerializer()

    def dumps(self, appstruct: Any) -> bytes:
        printed = self.serializer.dumps(appstruct)
        return urlsafe_b64encode(self._signature(printed) + printed).rstrip(b"=")

    def loads(self, bstruct: str | bytes) -> Any:
        """Verify and deserialize a value. Raises ValueError if the signature is wrong or missing."""
        given = to_bytes(bstruct)
        decoded = _decoded(given + b"=" * (-len(given) % 4))
        signature, printed = decoded[: self.digest_size], decoded[self.digest_size :]
        if not hmac.compare_digest(signature, self._signature(printed)):
            raise ValueError("Invalid signature")
        return self.serializer.loads(printed)

    def _signature(self, printed: bytes) -> bytes:
        return hmac.digest(self.salted_secret, printed, self.hashalg)


def _decoded(text: bytes) -> bytes:
    try:
        return urlsafe_b64decode(text)
    except ValueError as error:
        raise ValueError(f"Badly formed base64 data: {error}") from None


_LONGEST_VALUE = 4093


class Attributes(TypedDict, total=False):
    """The cookie attributes that can override the profile's."""

    domains: Iterable[str] | None
    max_age: Any
    path: str | None
    secure: bool
    httponly: bool | None
    samesite: str | bytes | None


class CookieProfile:
    """A cookie's name, attributes, and the serializer for its value, by default JSON in base64.

    One cookie is set for each of the ``domains``. A profile bound to a request reads that request's cookie.
    """

    request: Any = None
    """The request to which the profile is bound."""

    def __init__(
        self,
        cookie_name: str,
        secure: bool = False,
        max_age: Any = None,
        httponly: bool | None = None,
        samesite: str | bytes | None = None,
        path: str | None = "/",
        domains: Iterable[str] | None = None,
        serializer: Serializer | None = None,
    ) -> None:
        self.cookie_name = cookie_name
        self.secure = secure
        self.max_age = max_age
        self.httponly = httponly
        self.samesite = samesite
        self.path = path
        self.domains = domains
        self.serializer = serializer or Base64Serializer()

    def bind(self, request: Any) -> Self:
        copy = type(self).__new__(type(self))
        copy.__dict__.update(self.__dict__, request=request)
        return copy

    def __call__(self, request: Any) -> Self:
        return self.bind(request)

    def get_value(self) -> Any:
        """Return the value of the request's cookie, or None if it is missing or invalid.

        Raises ValueError if the profile is not bound to a request.
        """
        if self.request is None:
            raise ValueError("No request bound to cookie profile: call profile(request).get_value()")
        cookie = self.request.cookies.get(self.cookie_name)
        if cookie is None:
            return None
        try:
            return self.serializer.loads(to_bytes(cookie))
        except ValueError:
            return None

    def set_cookies(self, response: Any, value: Any, **attributes: Unpack[Attributes]) -> Any:
        """Add the cookies to a response and return it. A value of None deletes them."""
        response.headerlist.extend(self.get_headers(value, **attributes))
        return response

    def get_headers(self, value: Any, **attributes: Unpack[Attributes]) -> list[tuple[str, str]]:
        """Return the Set-Cookie fields for a value; None deletes the cookie.

        Raises ValueError if the serialized value exceeds 4093 bytes.
        """
        printed = None if value is None else self.serializer.dumps(value)
        if printed is not None and len(printed) > _LONGEST_VALUE:
            raise ValueError(f"Cookie value is too long to store ({len(printed)} bytes)")
        chosen: dict[str, Any] = {name: getattr(self, name) for name in Attributes.__annotations__} | attributes
        if value is None:
            chosen.setdefault("max_age", 0)
        domains = chosen.pop("domains") or (None,)
        return [("Set-Cookie", make_cookie(self.cookie_name, printed, domain=domain, **chosen)) for domain in domains]


class SignedCookieProfile(CookieProfile):
    """A profile whose values are signed. See ``SignedSerializer`` for its additional parameters."""

    def __init__(
        self,
        secret: str | bytes,
        salt: str | bytes,
        cookie_name: str,
        secure: bool = False,
        max_age: Any = None,
        httponly: bool | None = False,
        samesite: str | bytes | None = None,
        path: str | None = "/",
        domains: Iterable[str] | None = None,
        hashalg: str = "sha512",
        serializer: Serializer | None = None,
    ) -> None:
        self.secret = secret
        self.salt = salt
        self.hashalg = hashalg
        self.original_serializer = serializer
        signed = SignedSerializer(secret, salt, hashalg, serializer)
        super().__init__(cookie_name, secure, max_age, httponly, samesite, path, domains, signed)


__all__ = [
    "SAMESITE_VALIDATION", "Base64Serializer", "Cookie", "CookieProfile", "JSONSerializer", "Morsel", "RequestCookies",
    "SignedCookieProfile", "SignedSerializer", "make_cookie", "parse_cookie", "serialize_cookie_date",
    "serialize_max_age", "serialize_samesite",
]  # fmt: skip

SAMESITE_VALIDATION = True
"""Set this to False to allow unknown SameSite values."""

_PAST = "Wed, 31-Dec-97 23:59:59 GMT"


def make_cookie(
    name: str | bytes,
    value: str | bytes | None,
    max_age: Any = None,
    path: str | bytes | None = "/",
    domain: str | bytes | None = None,
    secure: bool = False,
    httponly: bool | None = False,
    comment: str | bytes | None = None,
    samesite: str | bytes | None = None,
) -> str:
    """Return the value of Set-Cookie.

    ``max_age``, in seconds or as a timedelta, also sets Expires. A ``value`` of None deletes the cookie. Raises
    ValueError if the name or another argument is malformed.
    """
    printed = expires = None
    if value is None:
        value, printed, expires = "", "0", _PAST
    elif max_age is not None:
        seconds = max_age if type(max_age) is int else _seconds(max_age)
        printed, expires = str(seconds), _cookie_date(time() + seconds)
    key = name if isinstance(name, str) else name.decode("latin-1")
    _check_name(key)
    if not isinstance(value, str) or not is_plain(value):
        value = quote(to_bytes(value, "ascii")).decode("ascii")
    known = None if samesite is None else without_controls(serialize_samesite(samesite))
    parts = print_attributes(comment, domain, printed, path, expires, secure, httponly, known)
    return "; ".join([f"{key}={value}", *parts])


def _seconds(max_age: Any) -> int:
    if isinstance(max_age, timedelta):
        return max_age.days * 86400 + max_age.seconds
    try:
        return int(max_age)
    except ValueError:
        raise ValueError(
            f"max_age should be an integer. Amount of seconds until expiration, not {max_age!r:.80}"
        ) from None


def parse_cookie(data: str) -> Iterator[tuple[bytes, bytes]]:
    """Return an iterator over the names and values in a Cookie header. Never raises."""
    return iter([(name.encode(), value.encode("utf-8", "replace")) for name, value in read_cookies(data)])


def serialize_max_age(value: str | bytes | int | timedelta) -> bytes:
    return to_bytes(value if isinstance(value, str | bytes) else str(_seconds(value)))


def serialize_cookie_date(value: Any) -> bytes | None:
    """Format Expires from a date, a number of seconds from now, a timedelta, or text. Naive datetimes are UTC."""
    if value is None or isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode("ascii")
    return _cookie_date(_moment(value)).encode()


def _cookie_date(moment: datetime | float) -> str:
    day, month, rest = (text := format_http_date(moment))[:7], text[8:11], text[12:]
    return f"{day}-{month}-{rest}"


def _moment(value: date | datetime | timedelta | int) -> datetime:
    if isinstance(value, int | timedelta):
        return datetime.now(UTC) + (value if isinstance(value, timedelta) else timedelta(seconds=value))
    moment = value if isinstance(value, datetime) else datetime.combine(value, time_of_day())
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def serialize_samesite(value: str | bytes) -> bytes:
    """Format SameSite. Raises ValueError for an unknown value unless ``SAMESITE_VALIDATION`` is off."""
    printed = to_bytes(value)
    if SAMESITE_VALIDATION and printed.lower() not in (b"strict", b"lax", b"none"):
        raise ValueError(f"SameSite must be 'strict', 'lax', or 'none', not {value!r:.80}")
    return printed


def _attribute(key: bytes, serialize: Callable[[Any], Any] = lambda value: value) -> property:
    def fset(morsel: "Morsel", value: Any) -> None:
        morsel[key] = serialize(value)

    return property(lambda morsel: morsel[key], fset, doc=f"The {key.decode()} attribute.")


class Morsel(dict[bytes, Any]):
    """A response cookie: its name, value and attributes, as bytes."""

    __slots__ = ("name", "value")

    path = _attribute(b"path", to_bytes)
    domain = _attribute(b"domain", to_bytes)
    comment = _attribute(b"comment", to_bytes)
    expires = _attribute(b"expires", serialize_cookie_date)
    max_age = _attribute(b"max-age", serialize_max_age)
    httponly = _attribute(b"httponly", bool)
    secure = _attribute(b"secure", bool)
    samesite = _attribute(b"samesite", serialize_samesite)

    def __init__(self, name: str | bytes, value: str | bytes) -> None:
        """Create a cookie. Raises ValueError if the name is invalid, or if the name or value is not ASCII text."""
        self.name = to_bytes(name, "ascii")
        self.value = to_bytes(value, "ascii")
        _check_name(self.name.decode("latin-1"))
        super().__init__(dict.fromkeys(ATTRIBUTES))

    def __setitem__(self, key: str | bytes, value: Any) -> None:
        attribute = to_bytes(key, "ascii").lower()
        if attribute in ATTRIBUTES:
            super().__setitem__(attribute, value)

    def serialize(self, full: bool = True) -> str:
        """Return the value of Set-Cookie, or only the name and value if ``full`` is false.

        Raises ValueError for SameSite=None without Secure.
        """
        pair = f"{self.name.decode()}={quote(self.value).decode('ascii')}"
        if not full:
            return pair
        max_age = print_value(self.max_age, escape) if self.max_age else None
        expires, samesite = without_controls(self.expires), without_controls(self.samesite)
        parts = print_attributes(
            self.comment, self.domain, max_age, self.path, expires, self.secure, self.httponly, samesite
        )
        return "; ".join([pair, *parts])

    __str__ = serialize

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.name.decode()}={self.value.decode('latin-1')!r}>"


def _check_name(name: str) -> None:
    if not is_cookie_name(name):
        raise ValueError(f"a cookie's name must be a token and not an attribute of Set-Cookie: {name!r:.80}")


class Cookie(dict[bytes, Morsel]):
    """The cookies in a header: a dictionary of ``Morsel`` objects by name, in bytes."""

    def __init__(self, input: str | None = None) -> None:  # noqa: A002 - WebOb's parameter
        super().__init__()
        if input:
            self.load(input)

    def load(self, data: str) -> None:
        """Add the cookies from a Cookie or Set-Cookie header. Attributes belong to the preceding cookie."""
        morsel: dict[bytes, Any] = {}
        for name, value in parse_cookies(data):
            key, content = name.encode("latin-1", "replace"), value.encode("utf-8", "replace")
            if key.lower() in ATTRIBUTES:
                morsel[key] = content
            elif key:
                morsel = self.add(key, content)

    def add(self, key: str | bytes, val: str | bytes) -> dict[bytes, Any]:
        """Add a cookie and return it, or return an empty dictionary if the name is invalid."""
        name = key if isinstance(key, bytes) else key.encode("ascii", "replace")
        if not is_cookie_name(name.decode("latin-1")):
            return {}
        morsel = Morsel(name, val)
        super().__setitem__(name, morsel)
        return morsel

    __setitem__ = add  # type: ignore[assignment]  # as in WebOb

    def values(self) -> list[Morsel]:  # type: ignore[override]  # as in WebOb
        """Return the cookies, sorted by name."""
        return [morsel for _, morsel in sorted(self.items())]

    def serialize(self, full: bool = True) -> str:
        """Format all cookies, with or without their attributes."""
        return "; ".join([morsel.serialize(full) for morsel in self.values()])

    __str__ = serialize

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: [{', '.join(map(repr, self.values()))}]>"
