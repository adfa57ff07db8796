"""Cookies of one name with all their attributes, and the values that they carry."""

from collections.abc import Iterable
from typing import Any, Self, TypedDict, Unpack

from antiphon.dialects.webob._cookies.names import to_bytes
from antiphon.dialects.webob._cookies.serializers import Base64Serializer, Serializer, SignedSerializer

_LONGEST_VALUE = 4093


class Attributes(TypedDict, total=False):
    """The attributes of a cookie that may differ from those of its profile."""

    domains: Iterable[str] | None
    max_age: Any
    path: str | None
    secure: bool
    httponly: bool | None
    samesite: str | bytes | None


class CookieProfile:
    """A cookie's name, its attributes and the serializer of its value, by default base64 of JSON.

    ``domains`` makes a cookie for each of them. Bound to a request, it reads the cookie there.
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
        """Return a copy that is bound to a request."""
        copy = type(self).__new__(type(self))
        copy.__dict__.update(self.__dict__, request=request)
        return copy

    def __call__(self, request: Any) -> Self:
        """Return a copy that is bound to a request."""
        return self.bind(request)

    def get_value(self) -> Any:
        """Return the value of the request's cookie; None without one, or if it can't be read.

        Raises ValueError if the profile is bound to no request.
        """
        if self.request is None:
            raise ValueError("the profile is bound to no request: profile(request).get_value()")
        cookie = self.request.cookies.get(self.cookie_name)
        if cookie is None:
            return None
        try:
            return self.serializer.loads(to_bytes(cookie))
        except ValueError:
            return None

    def set_cookies(self, response: Any, value: Any, **attributes: Unpack[Attributes]) -> Any:
        """Add the cookies to a response, and return it. A value of None deletes them."""
        response.headerlist.extend(self.get_headers(value, **attributes))
        return response

    def get_headers(self, value: Any, **attributes: Unpack[Attributes]) -> list[tuple[str, str]]:
        """Return the Set-Cookie fields for a value; None deletes. Raises ValueError above 4093 bytes."""
        from antiphon.dialects.webob.cookies import make_cookie

        printed = None if value is None else self.serializer.dumps(value)
        if printed is not None and len(printed) > _LONGEST_VALUE:
            raise ValueError(f"the cookie {self.cookie_name!r} has {len(printed)} bytes, more than {_LONGEST_VALUE}")
        chosen: dict[str, Any] = {name: getattr(self, name) for name in Attributes.__annotations__} | attributes
        if value is None:
            chosen.setdefault("max_age", 0)
        domains = chosen.pop("domains") or (None,)
        return [("Set-Cookie", make_cookie(self.cookie_name, printed, domain=domain, **chosen)) for domain in domains]


class SignedCookieProfile(CookieProfile):
    """A profile whose values are signed; see ``SignedSerializer`` for the parameters that are its own."""

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
