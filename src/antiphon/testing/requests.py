"""The client's requests: target, header fields and body, made from a URL and a test's options, such as forms."""

import os
import re
import string
from collections.abc import AsyncIterable, Collection, Iterable, Mapping, Sequence
from secrets import token_hex
from typing import Literal, NamedTuple, Protocol, TypeAlias, TypedDict, cast
from urllib.parse import quote

from antiphon.body.part_head import EncodedPart, encode_multipart
from antiphon.explanations import explained
from antiphon.http.grammar import find_control, is_token
from antiphon.http.headers import HeaderFields, Headers, MutableHeaders
from antiphon.http.urls.url import DEFAULT_PORTS, URL, check_host_given, parse_host
from antiphon.http.urls.urlencoded import format_query
from antiphon.response.files import guess_type
from antiphon.serialization.json import encode_json


class Readable(Protocol):
    """A file object, in binary mode."""

    def read(self) -> bytes:
        """Read the rest of the file."""
        ...


FileContent: TypeAlias = bytes | bytearray | memoryview | Readable

File: TypeAlias = FileContent | tuple[str, FileContent] | tuple[str, FileContent, str]
"""A file: its content, or its filename and content, and optionally its content type."""

ClientFiles: TypeAlias = Mapping[str, File | Sequence[File]]
"""Files by field name; a list of files is one field that is sent several times."""

_line_breaks = re.compile(r"\r\n?|\n").sub


def encode_parts(fields: Iterable[tuple[str, str]], files: ClientFiles) -> tuple[bytes, str]:
    """Return the body, fields first, and its media type with the boundary. File objects are read to their end.

    A file without a filename gets the name of its file object or of its field; a file without a content type gets the
    type for its filename. Raises TypeError for a value that is not a file, and ValueError for a name or type that can't
    be sent.
    """
    if not isinstance(files, Mapping):
        raise explained(
            "bad-test-request", f"files must map field names to files, not {type(files).__name__}", TypeError
        )
    parts = [EncodedPart(_with_crlf(name), _with_crlf(text).encode()) for name, text in fields]
    parts += [_as_part(_with_crlf(name), file) for name, value in files.items() for file in _listed(value)]
    boundary = f"----antiphon{token_hex(16)}"
    return encode_multipart(parts, boundary.encode()), f"multipart/form-data; boundary={boundary}"


def _listed(value: File | Sequence[File]) -> Sequence[File]:
    match value:
        case tuple((str(), *_)):
            return [cast("File", value)]
        case list() | tuple():
            return cast("Sequence[File]", value)
    return [cast("File", value)]


def _as_part(name: str, file: File) -> EncodedPart:
    match file:
        case tuple((str(filename), content)):
            return EncodedPart(name, _read(content), filename, _type_of(filename))
        case tuple((str(filename), content, str(content_type))):
            if find_control(content_type):
                raise explained(
                    "bad-test-request", f"control characters are not allowed in a content type: {content_type!r}"
                )
            return EncodedPart(name, _read(content), filename, content_type.encode())
    opened = getattr(file, "name", None)
    filename = os.path.basename(opened) if isinstance(opened, str) else name
    return EncodedPart(name, _read(file), filename, _type_of(filename))


def _read(content: object) -> bytes:
    read = getattr(content, "read", None)
    found = content if read is None else read()
    if isinstance(found, bytes | bytearray | memoryview):
        return bytes(found)
    raise explained(
        "bad-test-request",
        "a file must be bytes, a file object in binary mode, (filename, either) or (filename, either, content"
        f" type), not {type(found).__name__}",
        TypeError,
    )


def _type_of(filename: str) -> bytes:
    """Return the media type that a browser would send for a file, without a charset."""
    return guess_type(filename).partition(";")[0].encode()


def _with_crlf(text: str) -> str:
    """Convert the line breaks in a field's name or value to CRLF."""
    return _line_breaks("\r\n", text)


ClientContent: TypeAlias = bytes | Iterable[bytes] | AsyncIterable[bytes]
"""A body: bytes, or chunks that are sent as the application requests them, without a Content-Length."""

ClientFields: TypeAlias = Mapping[str, object] | Iterable[tuple[str, object]]
"""The names and values of a query or form. A value is text, a number, or a list of these, which repeats the name."""

HTTPVersion: TypeAlias = Literal["1.0", "1.1", "2"]

ASTERISK = "*"
"""The target of an OPTIONS request for the server as a whole (RFC 9112 §3.2.4)."""

_CONTENT_FIELDS = frozenset({
    "content-encoding", "content-language", "content-length", "content-location", "content-type",
    "transfer-encoding",
})  # fmt: skip


class RequestOptions(TypedDict, total=False):
    """The options of a request, in addition to method and URL.

    You can pass at most one of ``body``, ``json`` and ``form``; you can pass ``files`` together with ``form``.
    """

    params: ClientFields
    headers: HeaderFields
    cookies: Mapping[str, str]
    body: ClientContent
    json: object
    form: ClientFields
    files: ClientFiles
    content_type: str
    follow_redirects: bool


_ELSEWHERE = {
    "allow_redirects": "'follow_redirects'",
    "args": "'params'",
    "auth": "'headers', with 'authorization'",
    "content": "'body'",
    "data": "'form', or 'body' for bytes",
    "follow": "'follow_redirects'",
    "mimetype": "'content_type'",
    "query": "'params'",
    "query_string": "'params'",
}
"""Other clients' options, with the equivalent option here."""


class ClientRequest(NamedTuple):
    """A request as the client sends it. ``target`` is the path and query as in the request line, or ``*``."""

    method: str
    scheme: str
    authority: str
    target: str
    headers: Headers
    content: ClientContent
    http_version: HTTPVersion

    @property
    def url(self) -> URL:
        """The URL without its fragment. For the target ``*``, it is the origin's URL (RFC 9112 §3.3)."""
        return URL.build(scheme=self.scheme, host=self.authority, path=self.raw_path, query=self.raw_query)

    @property
    def origin(self) -> tuple[str, str, int]:
        """The origin: scheme, host and port (RFC 6454 §4)."""
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
        """The Content-Length, in bytes; None if it is missing or invalid."""
        length = self.headers.get("content-length", "")
        return int(length) if length.isascii() and length.isdigit() else None

    def __str__(self) -> str:
        return f"{self.method} {self.url}"

    def with_cookies(self, header: str | None) -> "ClientRequest":
        """Return the request with this Cookie header, unless the request has one or ``header`` is None."""
        if header is None or "cookie" in self.headers:
            return self
        return self._replace(headers=Headers([*self.headers.items(), ("cookie", header)]))

    def redirected(self, url: URL, method: str) -> "ClientRequest":
        """Return the request that follows a redirect to an absolute URL; the Cookie header is dropped.

        The content is dropped if the method changes, and credentials if the origin changes.
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
) -> ClientRequest:
    """Return the request that a test describes. ``headers`` are sent with each of the client's requests.

    A URL without a host gets the scheme and host of ``base``. OPTIONS can have ``*`` instead of a URL. Raises
    ValueError for a request that can't be sent.
    """
    if not is_token(method):
        raise explained("bad-test-request", f"a method must be a token, not {method!r}")
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
    return ClientRequest(method, scheme, authority, target, Headers(fields), content, http_version)


def check_options(
    names: Collection[str], client_options: Collection[str], method_of_unnamed: str | None = None
) -> None:
    """Raise TypeError, with a hint, for an unknown option or an unnamed argument. ``client_options`` are options of a
    client; ``method_of_unnamed`` is the method of a request with unnamed arguments.
    """
    if method_of_unnamed is not None:
        fix = "params={...}" if method_of_unnamed in _WITHOUT_CONTENT else "form={...}, json=... or body=b'...'"
        raise explained(
            "bad-test-request", f"a {method_of_unnamed} request takes its options by name: write {fix}", TypeError
        )
    for name in names:
        if name not in RequestOptions.__optional_keys__:
            raise explained(
                "bad-test-request", f"a request has no option {name!r}: {_hint(name, client_options)}", TypeError
            )


_WITHOUT_CONTENT = {"GET", "HEAD", "OPTIONS", "DELETE"}


def _hint(name: str, client_options: Collection[str]) -> str:
    from difflib import get_close_matches

    if name.startswith("HTTP_"):
        return f"it is headers={{{name[5:].lower().replace('_', '-')!r}: ...}} here"
    if name == "REMOTE_ADDR":
        return "the client has 'client': Client(app, client=(address, port))"
    if name in _ELSEWHERE:
        return f"it is {_ELSEWHERE[name]} here"
    known = sorted(RequestOptions.__optional_keys__)
    close = next(iter(get_close_matches(name, [*known, *client_options], 1)), None)
    if close is None:
        return f"its options are {', '.join(known)}"
    return f"did you mean {close!r}?" if close in known else f"the client has {close!r}: Client(app, {close}=...)"


def split_url(url: str) -> tuple[str, str]:
    """Return the authority and target of an absolute URL."""
    rest = url.partition("://")[2]
    end = min((at for mark in "/?#" if (at := rest.find(mark)) >= 0), default=len(rest))
    authority = rest[:end].rpartition("@")[2]
    check_host_given(authority)
    return authority, as_target(rest[end:])


def as_target(reference: str) -> str:
    """Return the path and query for a request line. Only spaces, control characters and non-ASCII characters are
    escaped.

    Dots, broken escapes and doubled slashes therefore reach the application.
    """
    target = quote(reference.partition("#")[0], safe=string.punctuation)
    return target if target.startswith("/") else "/" + target


def _with_query(target: str, query: str) -> str:
    if not query:
        return target
    if target == ASTERISK:
        raise explained("bad-test-request", "OPTIONS * can't have a query: it is about the whole server")
    return f"{target}{'&' if '?' in target else '?'}{query}"


def encode_fields(fields: ClientFields) -> str:
    """Encode names and values as a query string or a urlencoded form. Raises TypeError for any other values."""
    return format_query(_pairs(fields))


def _pairs(fields: ClientFields) -> list[tuple[str, str]]:
    pairs = cast("Mapping[str, object]", fields).items() if isinstance(fields, Mapping) else fields
    return [(name, text) for name, value in pairs for text in _texts(value)]


def _texts(value: object) -> list[str]:
    if isinstance(value, list | tuple):
        return [text for each in value for text in _texts(each)]
    if isinstance(value, str | int | float):
        return [str(value)]
    raise explained(
        "bad-test-request", f"a field's value must be a str, a number or a list of these, not {value!r}", TypeError
    )


def _content(options: RequestOptions) -> tuple[ClientContent, str | None]:
    """Return the body, and its content type if the options imply one."""
    given = options.keys() & {"body", "json", "form", "files"}
    if len(given) > 1 and given != {"form", "files"}:
        raise explained(
            "bad-test-request",
            "a request can have only one body: one of 'body', 'json' and 'form', or 'files', optionally with 'form'",
        )
    if "files" in options:
        if "content_type" in options:
            raise explained(
                "bad-test-request", "a form with files needs its own content type, which contains its boundary"
            )
        return encode_parts(_pairs(options.get("form", ())), options["files"])
    if "json" in options:
        return encode_json(options["json"]), "application/json"
    if "form" in options:
        return encode_fields(options["form"]).encode(), "application/x-www-form-urlencoded"
    body = options.get("body", b"")
    if isinstance(body, str) or not isinstance(body, Iterable | AsyncIterable):
        raise explained(
            "bad-test-request", f"a body must be bytes or an iterable of bytes, not {type(body).__name__}", TypeError
        )
    return bytes(body) if isinstance(body, bytearray | memoryview) else body, None


def _frame(fields: MutableHeaders, method: str, content: ClientContent, http_version: HTTPVersion) -> None:
    """Add Content-Length or Transfer-Encoding (RFC 9112 §6), unless the test has set it."""
    if "content-length" in fields or "transfer-encoding" in fields:
        return
    if isinstance(content, bytes):
        if content or method in ("POST", "PUT", "PATCH"):
            fields["content-length"] = str(len(content))
    elif http_version == "1.0":
        raise explained("bad-test-request", "HTTP/1.0 has no way to send a body whose length is not known in advance")
    elif http_version == "1.1":
        fields["transfer-encoding"] = "chunked"
