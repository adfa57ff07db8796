"""The request that the client sends: its target, header fields and body, made from what a test says."""

import string
from collections.abc import AsyncIterable, Iterable, Mapping
from typing import Literal, NamedTuple, TypeAlias, TypedDict, cast
from urllib.parse import quote

from antiphon.http.grammar import is_token
from antiphon.http.headers import HeaderFields, Headers, MutableHeaders
from antiphon.http.url import DEFAULT_PORTS, URL, parse_host
from antiphon.http.urlencoded import format_query
from antiphon.testing.form_in_parts import Files, encode_parts

Content: TypeAlias = bytes | Iterable[bytes] | AsyncIterable[bytes]
"""A body: bytes, or chunks, which are sent without a Content-Length, as the application asks for them."""

Fields: TypeAlias = Mapping[str, object] | Iterable[tuple[str, object]]
"""Names and values of a query or a form: text, numbers, and lists of these, which stand for the name several times."""

HTTPVersion: TypeAlias = Literal["1.0", "1.1", "2"]

ASTERISK = "*"
"""The target of OPTIONS for a server as a whole (RFC 9112 §3.2.4)."""

_CONTENT_FIELDS = frozenset({
    "content-encoding", "content-language", "content-length", "content-location", "content-type",
    "transfer-encoding",
})  # fmt: skip


class RequestOptions(TypedDict, total=False):
    """What a request may have beside method and URL.

    Of ``body``, ``json`` and ``form`` one at most; ``files`` may go with ``form``.
    """

    params: Fields
    headers: HeaderFields
    cookies: Mapping[str, str]
    body: Content
    json: object
    form: Fields
    files: Files
    content_type: str
    follow_redirects: bool


class SentRequest(NamedTuple):
    """A request as it is sent. ``target`` is path and query as they stand in the request line, or ``*``."""

    method: str
    scheme: str
    authority: str
    target: str
    headers: Headers
    content: Content
    http_version: HTTPVersion

    @property
    def url(self) -> URL:
        """The URL, without a fragment. It is that of the origin for ``*`` (RFC 9112 §3.3)."""
        return URL.build(scheme=self.scheme, host=self.authority, path=self.raw_path, query=self.raw_query)

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
        """What Content-Length says, in bytes; None without one that can be read."""
        length = self.headers.get("content-length", "")
        return int(length) if length.isascii() and length.isdigit() else None

    def __str__(self) -> str:
        return f"{self.method} {self.url}"

    def with_cookies(self, header: str | None) -> "SentRequest":
        """The same with a Cookie header, unless it has one or there are none."""
        if header is None or "cookie" in self.headers:
            return self
        return self._replace(headers=Headers([*self.headers.items(), ("cookie", header)]))

    def redirected(self, url: URL, method: str) -> "SentRequest":
        """The request for an absolute URL to which a redirect leads; its cookies are those of the new URL.

        It has no content if the method changes, and no credentials if another origin is to get it.
        """
        authority, target = split_url(url)
        request = self._replace(method=method, scheme=url.scheme, authority=authority, target=target)
        dropped = {"cookie"}
        if method != self.method:
            dropped |= _CONTENT_FIELDS
            request = request._replace(content=b"")
        if request.origin != self.origin:
            dropped |= {"authorization", "proxy-authorization"}
        fields = [(name, value) for name, value in self.headers.items() if name not in dropped | {"host"}]
        return request._replace(headers=Headers([("host", authority), *fields]))


def compose(
    method: str, url: str, options: RequestOptions, *, base: URL, headers: Headers, http_version: HTTPVersion
) -> SentRequest:
    """The request that a test describes. ``headers`` are those of every request of the client.

    Of a URL with a host, scheme and host are used; else those of ``base``. OPTIONS may have ``*`` in place of a URL.
    Raises ValueError for what can't be sent.
    """
    if not is_token(method):
        raise ValueError(f"a method is a token, not {method!r}")
    scheme, (authority, target) = base.scheme, (base.netloc, as_target(url))
    if url.lower().startswith(("http://", "https://")):
        scheme, (authority, target) = url.partition(":")[0].lower(), split_url(url)
    if (method, url) == ("OPTIONS", ASTERISK):
        target = ASTERISK
    target = _with_query(target, encode_fields(options.get("params", ())))
    content, content_type = _content(options)
    fields = MutableHeaders([("host", authority)])
    fields.update(headers)
    fields.update(options.get("headers", ()))
    if "files" in options and content_type is not None:
        fields["content-type"] = content_type
    elif "content_type" in options:
        fields["content-type"] = options["content_type"]
    elif content_type is not None:
        fields.setdefault("content-type", content_type)
    _frame(fields, method, content, http_version)
    return SentRequest(method, scheme, authority, target, Headers(fields), content, http_version)


def split_url(url: str) -> tuple[str, str]:
    """Authority and target of an absolute URL."""
    rest = url.partition("://")[2]
    end = min((at for mark in "/?#" if (at := rest.find(mark)) >= 0), default=len(rest))
    authority = rest[:end].rpartition("@")[2]
    parse_host(authority)
    return authority, as_target(rest[end:])


def as_target(reference: str) -> str:
    """Path and query for a request line; only spaces, controls and what is not ASCII are escaped.

    So dots, broken escapes and doubled slashes reach the application.
    """
    target = quote(reference.partition("#")[0], safe=string.punctuation)
    return target if target.startswith("/") else "/" + target


def _with_query(target: str, query: str) -> str:
    if not query:
        return target
    if target == ASTERISK:
        raise ValueError("OPTIONS * has no query: it asks for a server as a whole")
    return f"{target}{'&' if '?' in target else '?'}{query}"


def encode_fields(fields: Fields) -> str:
    """Names and values as a query string, or an urlencoded form. Raises TypeError for a value that is no text."""
    return format_query(_pairs(fields))


def _pairs(fields: Fields) -> list[tuple[str, str]]:
    pairs = cast("Mapping[str, object]", fields).items() if isinstance(fields, Mapping) else fields
    return [(name, text) for name, value in pairs for text in _texts(value)]


def _texts(value: object) -> list[str]:
    if isinstance(value, list | tuple):
        return [text for each in value for text in _texts(each)]
    if isinstance(value, str | int | float):
        return [str(value)]
    raise TypeError(f"a field's value is a str, a number or a list of these, not {value!r}")


def _content(options: RequestOptions) -> tuple[Content, str | None]:
    """The body, and its type where that is plain."""
    given = options.keys() & {"body", "json", "form", "files"}
    if len(given) > 1 and given != {"form", "files"}:
        raise ValueError("a request has one body: of 'body', 'json' and 'form' one, or 'files', perhaps with 'form'")
    if "files" in options:
        if "content_type" in options:
            raise ValueError("a form with files has a content type of its own, which names its boundary")
        return encode_parts(_pairs(options.get("form", ())), options["files"])
    if "json" in options:
        from antiphon.serialization.json import encode_json

        return encode_json(options["json"]), "application/json"
    if "form" in options:
        return encode_fields(options["form"]).encode(), "application/x-www-form-urlencoded"
    body = options.get("body", b"")
    if isinstance(body, str) or not isinstance(body, Iterable | AsyncIterable):
        raise TypeError(f"a body is bytes or an iterable of bytes, not {type(body).__name__}")
    return bytes(body) if isinstance(body, bytearray | memoryview) else body, None


def _frame(fields: MutableHeaders, method: str, content: Content, http_version: HTTPVersion) -> None:
    """Say how long the body is (RFC 9112 §6), unless the test has."""
    if "content-length" in fields or "transfer-encoding" in fields:
        return
    if isinstance(content, bytes):
        if content or method in ("POST", "PUT", "PATCH"):
            fields["content-length"] = str(len(content))
    elif http_version == "1.0":
        raise ValueError("HTTP/1.0 has no way to send a body whose length is not known before")
    elif http_version == "1.1":
        fields["transfer-encoding"] = "chunked"
