"""The request that the client sends: its target, header fields and body, made from what a test says."""

import string
from collections.abc import AsyncIterable, Iterable, Mapping, Sequence
from typing import Literal, NamedTuple, TypeAlias, TypedDict
from urllib.parse import quote

from antiphon.http.grammar import is_token
from antiphon.http.headers import HeaderFields, MutableHeaders, field_pairs
from antiphon.http.query import format_query
from antiphon.http.url import DEFAULT_PORTS, URL, parse_host

Content: TypeAlias = bytes | Iterable[bytes] | AsyncIterable[bytes]
"""A body: bytes, or pieces, which are sent without a Content-Length as the application asks for them."""

Value: TypeAlias = str | int | float
Fields: TypeAlias = Mapping[str, Value | Sequence[Value]] | Iterable[tuple[str, Value]]
"""Names and values of a query or a form; a name that has a sequence comes once for each of its values."""

HTTPVersion: TypeAlias = Literal["1.0", "1.1", "2"]

_AS_WRITTEN = string.punctuation
_CONTENT_FIELDS = frozenset({
    "content-encoding", "content-language", "content-length", "content-location", "content-type", "transfer-encoding",
})  # fmt: skip


class RequestOptions(TypedDict, total=False):
    """What a request may have beside method and URL; of ``body``, ``json`` and ``form`` one."""

    params: Fields
    headers: HeaderFields
    cookies: Mapping[str, str]
    body: Content
    json: object
    form: Fields
    content_type: str
    follow_redirects: bool


class SentRequest(NamedTuple):
    """A request as it is sent. ``target`` is path and query as they stand in the request line."""

    method: str
    scheme: str
    authority: str
    target: str
    headers: MutableHeaders
    content: Content
    http_version: HTTPVersion

    @property
    def url(self) -> URL:
        """The URL, without a fragment."""
        path, _, query = self.target.partition("?")
        return URL.build(scheme=self.scheme, host=self.authority, path=path, query=query)

    @property
    def origin(self) -> tuple[str, str, int]:
        """Scheme, host and port (RFC 6454 §4)."""
        host, port = parse_host(self.authority)
        return self.scheme, host, port or DEFAULT_PORTS[self.scheme]

    @property
    def raw_path(self) -> str:
        """The path as sent, percent-encoded."""
        return self.target.partition("?")[0]

    @property
    def raw_query(self) -> str:
        """The query as sent, without its question mark."""
        return self.target.partition("?")[2]

    @property
    def declared_length(self) -> int | None:
        """What the Content-Length says, in bytes; None without one."""
        length = self.headers.get("content-length")
        return None if length is None else int(length)

    def redirected(self, url: URL, method: str) -> "SentRequest":
        """The request that follows a redirect to an absolute URL.

        Without its content if the method changes, and without credentials if another origin is to get it.
        """
        headers = MutableHeaders(self.headers)
        authority, target = split_url(url)
        request = self._replace(method=method, scheme=url.scheme, authority=authority, target=target, headers=headers)
        dropped = set(_CONTENT_FIELDS) if method != self.method else set()
        if request.origin != self.origin:
            dropped |= {"authorization", "proxy-authorization"}
        for name in dropped | {"cookie"}:
            headers.pop(name)
        headers["host"] = authority
        return request._replace(content=b"") if method != self.method else request


def split_url(url: str) -> tuple[str, str]:
    """Authority and target of an absolute URL. What can't stand in a request line is escaped, nothing else is changed."""
    rest = url.partition("://")[2].partition("#")[0]
    end = min((at for mark in "/?" if (at := rest.find(mark)) >= 0), default=len(rest))
    authority = rest[:end].rpartition("@")[2]
    return authority, as_target(rest[end:])


def as_target(reference: str) -> str:
    """Path and query to stand in a request line; broken escapes and dots stay, so that they reach the application."""
    target = quote(reference.partition("#")[0], safe=_AS_WRITTEN)
    return target if target.startswith("/") else "/" + target
