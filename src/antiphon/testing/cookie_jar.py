"""The cookies of a client, kept and sent back as browsers do (RFC 6265bis §5).

Every request counts as one of the same site, so that SameSite keeps no cookie back.
"""

import re
import time
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from antiphon.http.cookies import SetCookie
from antiphon.http.url import URL

LONGEST_LIFE = 400 * 24 * 3600
"""Seconds after which a cookie goes in any case (RFC 6265bis §5.5)."""

LONGEST_COOKIE = 4096
"""Bytes of a name and its value together (RFC 6265bis §5.6)."""

_is_ipv4 = re.compile(r"[0-9.]+").fullmatch
_breaks_header = re.compile(r"[\x00-\x20\x7f;]").search


class Cookie(NamedTuple):
    """A cookie that is kept. ``expires`` is in seconds since 1970; None means with the client."""

    name: str
    value: str
    domain: str
    path: str = "/"
    host_only: bool = True
    secure: bool = False
    httponly: bool = False
    samesite: str | None = None
    expires: float | None = None

    def goes_to(self, url: URL) -> bool:
        """Whether a request of this URL bears the cookie (RFC 6265bis §5.8.3)."""
        if self.secure and url.scheme != "https":
            return False
        if url.host != self.domain and (self.host_only or not domain_matches(url.host, self.domain)):
            return False
        return path_matches(url.path or "/", self.path)


class CookieJar:
    """The cookies of all hosts. ``[]`` and ``get`` find by name only: the cookie that was set last.

    ``host`` is the one for which ``set`` makes cookies. ``clock`` tells the seconds since 1970.
    """

    def __init__(self, host: str = "testserver", clock: Callable[[], float] = time.time) -> None:
        self._host = host
        self._clock = clock
        self._cookies: dict[tuple[str, str, str], Cookie] = {}

    def set(self, name: str, value: str, *, domain: str | None = None, path: str = "/", secure: bool = False) -> None:
        """Keep a cookie as if a response had set it: for one host, or with ``domain`` for that one and those below.

        Raises ValueError for what can't stand in a Cookie header.
        """
        check_cookie(name, value)
        host = (domain or self._host).lstrip(".").lower()
        self._put(Cookie(name, value, host, path, host_only=domain is None, secure=secure))

    def store(self, url: URL, lines: Iterable[str]) -> None:
        """Keep what the Set-Cookie lines of a response set or delete (RFC 6265bis §5.7). Bad ones are passed over."""
        for line in lines:
            try:
                parsed = SetCookie.parse(line)
            except ValueError:
                continue
            cookie = self._received(url, parsed)
            if cookie is not None and self._may_set(url, cookie):
                self._put(cookie)

    def header(self, url: URL) -> str | None:
        """The Cookie header for a request, longest paths first (RFC 6265bis §5.8.3); None when there are none."""
        cookies = sorted((cookie for cookie in self if cookie.goes_to(url)), key=lambda cookie: -len(cookie.path))
        return "; ".join([f"{cookie.name}={cookie.value}" for cookie in cookies]) or None

    def get(self, name: str, default: str | None = None) -> str | None:
        """The value of the cookie that was set last under this name, or ``default``."""
        return next((cookie.value for cookie in reversed(list(self)) if cookie.name == name), default)

    def __getitem__(self, name: str) -> str:
        value = self.get(name)
        if value is None:
            raise KeyError(name)
        return value

    def __contains__(self, name: object) -> bool:
        return any(cookie.name == name for cookie in self)

    def delete(self, name: str) -> None:
        """Forget every cookie of this name, whatever its host and path."""
        self._cookies = {key: cookie for key, cookie in self._cookies.items() if cookie.name != name}

    def clear(self) -> None:
        """Forget every cookie."""
        self._cookies.clear()

    def __iter__(self) -> Iterator[Cookie]:
        """Every cookie that has not expired, in the order in which they were first set."""
        now = self._clock()
        return iter([cookie for cookie in self._cookies.values() if cookie.expires is None or cookie.expires > now])

    def __len__(self) -> int:
        return len(list(self))

    def __repr__(self) -> str:
        return f"<CookieJar {[f'{cookie.name}={cookie.value}' for cookie in self]}>"

    def _put(self, cookie: Cookie) -> None:
        key = (cookie.domain, cookie.path, cookie.name)
        if cookie.expires is not None and cookie.expires <= self._clock():
            self._cookies.pop(key, None)
        else:
            self._cookies[key] = cookie

    def _received(self, url: URL, parsed: SetCookie) -> Cookie | None:
        """The cookie that a response sets; None when this host may not set it (RFC 6265bis §5.7, steps 1 to 14)."""
        domain = (parsed.domain or "").removeprefix(".").lower()
        if domain and domain != url.host and ("." not in domain or not domain_matches(url.host, domain)):
            return None
        if len(parsed.name.encode()) + len(parsed.value.encode()) > LONGEST_COOKIE:
            return None
        path = parsed.path if parsed.path and parsed.path.startswith("/") else default_path(url.path)
        host_only = not domain or "." not in domain or is_address(domain)
        return Cookie(
            parsed.name, parsed.value, domain or url.host, path, host_only,
            parsed.secure, parsed.httponly, parsed.samesite, self._end(parsed),
        )  # fmt: skip

    def _end(self, parsed: SetCookie) -> float | None:
        now = self._clock()
        if parsed.max_age is not None:
            return now + min(parsed.max_age, LONGEST_LIFE) if parsed.max_age > 0 else now
        if parsed.expires is not None:
            return min(parsed.expires.timestamp(), now + LONGEST_LIFE)
        return None

    def _may_set(self, url: URL, cookie: Cookie) -> bool:
        """Whether the scheme and the name's prefix allow it (RFC 6265bis §5.7, steps 8 and 16 to 21)."""
        if url.scheme != "https" and (cookie.secure or self._shadows_secure(cookie)):
            return False
        prefix = cookie.name.lower()
        if prefix.startswith("__secure-"):
            return cookie.secure
        if prefix.startswith("__host-"):
            return cookie.secure and cookie.host_only and cookie.path == "/"
        return True

    def _shadows_secure(self, cookie: Cookie) -> bool:
        """Whether a Secure cookie would be overwritten, or hidden, by one that came without TLS."""
        return any(
            kept.secure
            and kept.name == cookie.name
            and (domain_matches(kept.domain, cookie.domain) or domain_matches(cookie.domain, kept.domain))
            and path_matches(cookie.path, kept.path)
            for kept in self
        )


def check_cookie(name: str, value: str) -> None:
    """Raise ValueError for what can't stand in a Cookie header as it is."""
    if not name or "=" in name or _breaks_header(name) or _breaks_header(value):
        raise ValueError(f"not a cookie's name and value: {name!r}, {value!r}")


def domain_matches(host: str, domain: str) -> bool:
    """Whether a host is a domain or lies below it (RFC 6265bis §5.1.3)."""
    return host == domain or (host.endswith("." + domain) and not is_address(host))


def path_matches(path: str, cookie_path: str) -> bool:
    """Whether a path is a cookie's path or lies below it (RFC 6265bis §5.1.4)."""
    return path == cookie_path or path.startswith(cookie_path if cookie_path.endswith("/") else cookie_path + "/")


def default_path(path: str) -> str:
    """The path of a cookie that names none: the folder of the request's path (RFC 6265bis §5.1.4)."""
    return path[: path.rfind("/")] or "/" if path.startswith("/") else "/"


def is_address(host: str) -> bool:
    """Whether a host is an IP address, not a name."""
    return ":" in host or _is_ipv4(host) is not None
