"""The cookie jar of a client, which keeps and sends cookies as browsers do (RFC 6265bis §5).

Every request is treated as same-site, so SameSite never holds back a cookie.
"""

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

from antiphon.explanations.naming import WORDS, NamesOurs
from antiphon.http.cookies import SetCookie, prefix_of
from antiphon.http.urls.url import URL, is_this_machine

MAX_AGE = 400 * 24 * 3600
"""The longest lifetime of a cookie, in seconds (RFC 6265bis §5.5)."""

_is_ipv4 = re.compile(r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}").fullmatch


class KeptCookie(NamedTuple):
    """A cookie in a jar, as it was set, with the hosts and paths to which it is sent. ``expires`` is in seconds since
    1970.
    """

    cookie: SetCookie
    domain: str
    path: str
    host_only: bool
    expires: float | None

    @property
    def name(self) -> str:
        """The cookie's name."""
        return self.cookie.name

    @property
    def value(self) -> str:
        """The cookie's value, without quotes."""
        return self.cookie.value

    @property
    def key(self) -> tuple[str, str, str]:
        """The identity of a cookie: a new one with the same key replaces it."""
        return self.domain, self.path, self.name

    def is_sent_to(self, url: URL) -> bool:
        """Return True if the cookie is sent with a request for ``url`` (RFC 6265bis §5.8.3)."""
        if self.cookie.secure and not is_trustworthy(url):
            return False
        if url.host != self.domain and (self.host_only or not domain_matches(url.host, self.domain)):
            return False
        return path_matches(url.path or "/", self.path)


class CookieJar(metaclass=NamesOurs, words=WORDS["CookieJar"]):
    """The cookies of all hosts. ``[]`` and ``get`` find a cookie by name, regardless of its host and path.

    ``[]`` raises KeyError if there is none. ``set`` makes cookies for ``host``; ``clock`` returns seconds since 1970.
    """

    def __init__(self, host: str, clock: Callable[[], float] = time.time) -> None:
        self._host = host
        self._clock = clock
        self._cookies: dict[tuple[str, str, str], KeptCookie] = {}

    def set(self, name: str, value: str, *, domain: str | None = None, path: str = "/", secure: bool = False) -> None:
        """Add a cookie for the client's host, or for a ``domain`` and its subdomains.

        It always has the attributes that the prefix of its name needs, such as ``__Host-``. Raises ValueError for a
        cookie that no response could set.
        """
        cookie = _set(name, value, domain=domain, path=path, secure=secure)
        self._put(KeptCookie(cookie, cookie.domain or self._host, cookie.path or "/", domain is None, None))

    def store(self, url: URL, lines: Iterable[str]) -> None:
        """Store and delete cookies according to a response's Set-Cookie lines (RFC 6265bis §5.7). Bad lines are
        ignored.
        """
        for line in lines:
            try:
                cookie = self._kept(url, SetCookie.parse(line))
            except ValueError:
                continue
            if cookie is not None and (is_trustworthy(url) or not self._needs_tls(cookie)):
                self._put(cookie)

    def header(self, url: URL, more: Mapping[str, str] = MappingProxyType({})) -> str | None:
        """Return the Cookie header for a request (RFC 6265bis §5.8.3), or None if there are no cookies.

        The longest paths come first. The cookies in ``more`` come last and replace those with the same names.
        """
        cookies = [cookie for cookie in self if cookie.is_sent_to(url) and cookie.name not in more]
        pairs = [cookie.cookie.pair for cookie in sorted(cookies, key=lambda cookie: -len(cookie.path))]
        pairs += [_set(name, value).pair for name, value in more.items()]
        return "; ".join(pairs) or None

    def get(self, name: str, default: str | None = None) -> str | None:
        """Return the value of a cookie, the newest if there are several; ``default`` if there is none."""
        return next((cookie.value for cookie in reversed(self._unexpired()) if cookie.name == name), default)

    def keys(self) -> list[str]:
        """Return the distinct names of the cookies, oldest first; ``dict(client.cookies)`` contains their values."""
        return [*dict.fromkeys(cookie.name for cookie in self)]

    def __getitem__(self, name: str) -> str:
        value = self.get(name)
        if value is None:
            error = KeyError(name)
            error.add_note(f"The client has these cookies: {', '.join(cookie.name for cookie in self) or 'none'}")
            raise error
        return value

    def __contains__(self, name: object) -> bool:
        return any(cookie.name == name for cookie in self)

    def delete(self, name: str) -> None:
        """Remove every cookie with this name."""
        self._cookies = {key: cookie for key, cookie in self._cookies.items() if cookie.name != name}

    def clear(self) -> None:
        """Remove every cookie."""
        self._cookies.clear()

    def __iter__(self) -> Iterator[KeptCookie]:
        """Iterate over the cookies that have not expired, oldest first."""
        return iter(self._unexpired())

    def __len__(self) -> int:
        return len(self._unexpired())

    def __repr__(self) -> str:
        return f"<CookieJar {[cookie.cookie.pair for cookie in self]}>"

    def _unexpired(self) -> list[KeptCookie]:
        now = self._clock()
        return [cookie for cookie in self._cookies.values() if cookie.expires is None or cookie.expires > now]

    def _put(self, cookie: KeptCookie) -> None:
        if cookie.expires is not None and cookie.expires <= self._clock():
            self._cookies.pop(cookie.key, None)
        else:
            self._cookies[cookie.key] = cookie

    def _kept(self, url: URL, cookie: SetCookie) -> KeptCookie | None:
        """Return a response's cookie as it is stored; None if the host is not allowed to set it (RFC 6265bis §5.7).

        A domain without a dot is treated as a public suffix: only the host with that name can set it, for itself.
        """
        domain = cookie.domain
        if domain and domain != url.host and ("." not in domain or not domain_matches(url.host, domain)):
            return None
        host_only = not domain or "." not in domain or is_address(domain)
        path = cookie.path or default_path(url.path)
        return KeptCookie(cookie, domain or url.host, path, host_only, self._expiry(cookie))

    def _expiry(self, cookie: SetCookie) -> float | None:
        now = self._clock()
        if cookie.max_age is not None:
            return now + min(cookie.max_age, MAX_AGE) if cookie.max_age > 0 else now
        if cookie.expires is not None:
            return min(cookie.expires.timestamp(), now + MAX_AGE)
        return None

    def _needs_tls(self, cookie: KeptCookie) -> bool:
        """Return True if a cookie is Secure, or would hide a Secure one (RFC 6265bis §5.7, steps 13 and 16)."""
        return cookie.cookie.secure or any(
            kept.cookie.secure
            and kept.name == cookie.name
            and (domain_matches(kept.domain, cookie.domain) or domain_matches(cookie.domain, kept.domain))
            and path_matches(cookie.path, kept.path)
            for kept in self
        )


def domain_matches(host: str, domain: str) -> bool:
    """Return True if a host is equal to a domain or below it (RFC 6265bis §5.1.3)."""
    return host == domain or (host.endswith("." + domain) and not is_address(host))


def path_matches(path: str, cookie_path: str) -> bool:
    """Return True if a path is equal to a cookie's path or below it (RFC 6265bis §5.1.4)."""
    return path == cookie_path or path.startswith(cookie_path if cookie_path.endswith("/") else cookie_path + "/")


def default_path(path: str) -> str:
    """Return the default path of a cookie: the folder of the request's path (RFC 6265bis §5.1.4)."""
    return path[: path.rfind("/")] or "/" if path.startswith("/") else "/"


def _set(name: str, value: str, domain: str | None = None, path: str = "/", secure: bool = False) -> SetCookie:
    prefix = prefix_of(name)
    return SetCookie(name, value, domain=domain, path=path, secure=secure or bool(prefix), httponly="http" in prefix)


def is_trustworthy(url: URL) -> bool:
    """Return True if a URL may set and get Secure cookies: over https, or on this machine (W3C Secure Contexts §3.1).

    ``testserver``, the host of a client without a ``base_url``, is treated as this machine.
    """
    return url.scheme == "https" or is_this_machine(url.host)


def is_address(host: str) -> bool:
    """Return True if a host is an IP address, not a name."""
    return ":" in host or _is_ipv4(host) is not None
