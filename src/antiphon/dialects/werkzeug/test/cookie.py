"""The cookies of a client."""

from datetime import datetime
from typing import NamedTuple, Self

from antiphon.dialects.werkzeug.http.parsing import parse_cookie
from antiphon.dialects.werkzeug.tokens.dates import parse_date


class Cookie(NamedTuple):
    """A cookie: ``key`` and ``value`` as sent and decoded, its destination, and how long it is kept.

    ``max_age`` is in seconds. A cookie without Domain is ``origin_only``: it is sent to the very host only.
    """

    key: str
    value: str
    decoded_key: str
    decoded_value: str
    expires: datetime | None
    max_age: int | None
    domain: str
    origin_only: bool
    path: str
    secure: bool
    http_only: bool
    same_site: str | None

    @classmethod
    def parse(cls, server_name: str, path: str, header: str) -> Self:
        """Return the cookie that a response to this path has set."""
        pair, _, attributes = header.partition(";")
        key, _, value = pair.partition("=")
        decoded_key, decoded_value = next(iter(parse_cookie(pair).items()))
        said: dict[str, str | None] = {}
        for attribute in attributes.split(";"):
            name, equals, text = attribute.partition("=")
            said[name.strip().lower()] = text.strip() if equals else None
        return cls(
            key=key.strip(),
            value=value.strip(),
            decoded_key=decoded_key,
            decoded_value=decoded_value,
            expires=parse_date(said.get("expires")),
            max_age=int(said["max-age"] or 0) if "max-age" in said else None,
            domain=said.get("domain") or server_name,
            origin_only="domain" not in said,
            path=said.get("path") or path.rpartition("/")[0] or "/",
            secure="secure" in said,
            http_only="httponly" in said,
            same_site=said.get("samesite"),
        )

    @property
    def place(self) -> tuple[str, str, str]:
        """The key of the cookie in a jar."""
        return self.domain, self.path, self.decoded_key

    @property
    def is_deleted(self) -> bool:
        """True if the cookie tells the client to forget it."""
        return self.max_age == 0 or (self.expires is not None and self.expires.timestamp() == 0)

    @property
    def pair(self) -> str:
        """The cookie as it is sent back."""
        return f"{self.key}={self.value}"

    def is_sent_to(self, server_name: str, path: str) -> bool:
        """Return True if the cookie is sent to a host and a path."""
        is_host = server_name == self.domain or (not self.origin_only and server_name.endswith(f".{self.domain}"))
        folder = self.path if self.path.endswith("/") else f"{self.path}/"
        return is_host and (path == self.path or path.startswith(folder))


Jar = dict[tuple[str, str, str], Cookie]
"""The cookies by their ``place``."""


def keep(jar: Jar, cookie: Cookie) -> None:
    """Put a cookie into a jar, or remove it if it is deleted."""
    if cookie.is_deleted:
        jar.pop(cookie.place, None)
    else:
        jar[cookie.place] = cookie
