"""The cookies of a request as a dictionary that changes the header."""

from collections.abc import ItemsView, Iterator, KeysView, MutableMapping, ValuesView
from typing import TYPE_CHECKING, Any

from antiphon.dialects.webob._cookies.names import is_cookie_name, quote, read_cookies
from antiphon.embedding import OWS

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


class RequestCookies(MutableMapping[str, str]):
    """The cookies in an environ's ``HTTP_COOKIE``; of a repeated name the last one. Changes are written there."""

    _cache_key = "webob._parsed_cookies"

    def __init__(self, environ: "WSGIEnvironment") -> None:
        self._environ = environ

    @property
    def _cookies(self) -> dict[str, str]:
        header = self._environ.get("HTTP_COOKIE", "")
        cached, of = self._environ.get(self._cache_key, (None, None))
        if cached is not None and of == header:
            found: dict[str, str] = cached
            return found
        cookies = dict(read_cookies(header))
        self._environ[self._cache_key] = cookies, header
        return cookies

    def __getitem__(self, name: str) -> str:
        return self._cookies[name]

    def get(self, name: str, default: Any = None) -> Any:
        """Return the value of a cookie, or ``default``."""
        return self._cookies.get(name, default)

    def __setitem__(self, name: str, value: str) -> None:
        """Raise TypeError for a name that cookies can't have, and ValueError for a value that is not text."""
        written = f"{_checked(name)}={_quoted(value)}"
        if not self._replace(name, written):
            before = self._environ.get("HTTP_COOKIE")
            self._environ["HTTP_COOKIE"] = f"{before}; {written}" if before else written

    def __delitem__(self, name: str) -> None:
        if not self._replace(_checked(name), None):
            raise KeyError(name)

    def _replace(self, name: str, written: str | None) -> bool:
        """Rewrite the first cookie with this name and remove the others. Return False if there is none."""
        header = self._environ.get("HTTP_COOKIE") or ""
        kept: list[str] = []
        is_found = False
        for cookie in header.split(";"):
            if cookie.partition("=")[0].strip(OWS) != name or "=" not in cookie:
                kept.append(cookie)
            elif not is_found:
                is_found = True
                if written is not None:
                    kept.append(cookie[: len(cookie) - len(cookie.lstrip(OWS))] + written)
        if is_found:
            self._environ["HTTP_COOKIE"] = ";".join(kept).lstrip(OWS)
        return is_found

    def clear(self) -> None:
        """Remove all cookies."""
        self._environ["HTTP_COOKIE"] = ""

    def keys(self) -> KeysView[str]:
        """Return the names."""
        return self._cookies.keys()

    def values(self) -> ValuesView[str]:
        """Return the values."""
        return self._cookies.values()

    def items(self) -> ItemsView[str, str]:
        """Return the names and values."""
        return self._cookies.items()

    def __contains__(self, name: object) -> bool:
        return name in self._cookies

    def __iter__(self) -> Iterator[str]:
        return iter(self._cookies)

    def __len__(self) -> int:
        return len(self._cookies)

    def __repr__(self) -> str:
        return f"<RequestCookies (dict-like) with values {self._cookies!r}>"


def _checked(name: Any) -> str:
    if not isinstance(name, str) or not is_cookie_name(name):
        raise TypeError(f"a cookie's name is a token, and no attribute of Set-Cookie: {name!r:.80}")
    return name


def _quoted(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"a cookie's value is text, not {value!r:.80}")
    return quote(value.encode()).decode("ascii")
