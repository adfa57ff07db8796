"""Print requests and responses as HTTP/1.1 messages, and parse them back (RFC 9112).

Printing is canonical: field names in lower case, the standard phrase of the status, a Content-Length instead of a
Transfer-Encoding, a Host in every request. If you parse a printed message and print it again, you get the same bytes.
"""

import re
from collections.abc import Iterable

from antiphon.explanations import explained
from antiphon.http.grammar import OWS, is_token
from antiphon.http.head import Head, RequestHead
from antiphon.http.headers import field_name, field_value
from antiphon.http.status import STATUS_LINES
from antiphon.http.urls.url import check_host_given, quote_path, unquote
from antiphon.request.request import Request
from antiphon.response.response import Response

__all__ = ["format_request", "format_response", "parse_request", "parse_response"]

Lines = list[tuple[str, str]]

LONGEST_HEAD = 256 << 10
"""The maximum size of the first line and the header section together, in bytes."""

_WITHOUT_CONTENT = frozenset({204, 304})
"""Statuses whose message ends with the head, regardless of its header fields (RFC 9112 §6.3)."""

_is_path = re.compile(rb"/[!\"$->@-~\x80-\xff]*+").fullmatch
_is_query = re.compile(rb"[!\"$-~\x80-\xff]*+").fullmatch
_status_line = re.compile(r"HTTP/(1\.[01]) ([2-5][0-9]{2}) [\t -~\x80-\xff]*+").fullmatch
_chunk_size = re.compile(rb"([0-9A-Fa-f]{1,15})(?:[ \t]*+;[^\r\n\0]*+)?\r\n").match


def format_request(request: Request) -> bytes:
    """Return a request as an HTTP/1.1 message (RFC 9112 §2.1), with the target in origin form, Host, all header fields,
    and the body with its length.

    The path is printed as it was sent if the server provides that form and nothing has changed it. HTTP/2 and 3 become
    1.1. Raises ValueError for anything that is not allowed in a message, and the same errors as ``request.body``.
    """
    head, body = request.head, request.body
    if not is_token(head.method):
        raise explained("bad-http-message", f"a method must be a token, not {head.method!r}")
    if (head.field("transfer-encoding") or "chunked").lower() != "chunked":
        raise explained(
            "bad-http-message", "a body in a transfer coding other than chunked cannot be printed with its length"
        )
    check_host_given(head.authority)
    own = {"host": head.authority, "content-length": str(len(body))}
    fields = _with_own(head.fields(), own)
    if "host" in own:
        fields.insert(0, ("host", own["host"]))
    if body and "content-length" in own:
        fields.append(("content-length", own["content-length"]))
    version = b"1.0" if head.http_version == "1.0" else b"1.1"
    return b"%s %s HTTP/%s\r\n%s\r\n%s" % (head.method.encode(), _target(head), version, _printed(fields), body)


def _target(head: Head) -> bytes:
    path, query = _sent_path(head), head.query_string
    if not _is_path(path) or not _is_query(query):
        raise explained(
            "bad-http-message",
            f"a path or a query that is not allowed in a request line: {path[:80]!r}, {query[:80]!r}",
        )
    return path + b"?" + query if query else path


def _sent_path(head: Head) -> bytes:
    raw, whole = head.raw_path, head.root_path + head.path
    if raw and unquote(raw) in ((whole, head.root_path) if head.path == "/" else (whole,)):
        return raw
    return quote_path(whole).encode()


def format_response(response: Response, method: str = "GET") -> bytes:
    """Return a response to a request with this method as an HTTP/1.1 message (RFC 9112 §2.1), with all header fields as
    sent.

    Raises TypeError for a streamed body, because printing would consume it.
    """
    status, fields, length, body, is_silent, _ = response._message(method)
    if is_silent:
        body = b""
    elif not isinstance(body, bytes):
        raise explained(
            "bad-http-message",
            "a streamed body can't be printed, because that would consume it: freeze the response first",
            TypeError,
        )
    lines = [*fields] if length is None else [*fields, ("content-length", str(length))]
    return b"HTTP/1.1 %s\r\n%s\r\n%s" % (STATUS_LINES[status].encode(), _printed(lines), body)


def _with_own(fields: Iterable[tuple[str, str]], own: dict[str, str]) -> Lines:
    """Return the header fields, with each name in ``own`` occurring once, with its value from ``own``. Names that occur
    are removed from ``own``.

    Transfer-Encoding is left out, because it belongs to a single connection.
    """
    lines: Lines = []
    names = {"transfer-encoding", *own}
    for name, value in fields:
        if name not in names:
            lines.append((name, value.strip(OWS)))
        elif name in own:
            lines.append((name, own.pop(name)))
    return lines


def _printed(fields: Lines) -> bytes:
    return "".join([f"{field_name(name)}: {field_value(value)}\r\n" for name, value in fields]).encode("latin-1")


def parse_request(data: bytes) -> Request:
    """Parse bytes that are one whole request (RFC 9112 §3).

    Parsing is strict: lines end with CR LF, the target is in origin form, HTTP/1.1 has one Host, and the body's length
    is declared once. A chunked body is decoded and gets a Content-Length; its trailers are dropped. Raises ValueError
    with the position of the offending byte.
    """
    line, fields, start = _parse_head(data)
    method, _, rest = line.partition(" ")
    target, _, protocol = rest.partition(" ")
    path, _, query = target.encode("latin-1").partition(b"?")
    if not is_token(method):
        raise explained("bad-http-message", f"no method at byte 0: {line[:80]!r}")
    if not _is_path(path) or not _is_query(query):
        raise explained("bad-http-message", f"no target in origin form at byte {len(method) + 1}: {target[:80]!r}")
    if protocol not in ("HTTP/1.1", "HTTP/1.0"):
        raise explained(
            "bad-http-message", f"neither HTTP/1.1 nor HTTP/1.0 at byte {len(line) - len(protocol)}: {protocol[:80]!r}"
        )
    version = protocol[5:]
    _check_host([value for name, value in fields if name == "host"], version)
    fields, body = _parse_content(data, start, fields, version)
    if body is None:
        body = b""
        _check_end(data, start)
    head = RequestHead(method, unquote(path), query, fields, raw_path=path, http_version=version)
    return Request(head, body)


def _check_host(hosts: list[str], version: str) -> None:
    if len(hosts) > 1 or (not hosts and version == "1.1"):
        raise explained("bad-http-message", f"the header has {len(hosts)} Host fields instead of one")
    for host in hosts:
        check_host_given(host)


def parse_response(data: bytes, method: str = "GET") -> Response:
    """Parse bytes that are one whole response (RFC 9112 §4) to a request with this method.

    Parsing is as strict as in ``parse_request``. Without a declared length, the body extends to the end. Raises
    ValueError for a malformed message, with the position of the offending byte, and for a status outside 200 to 599.
    """
    line, fields, start = _parse_head(data)
    match = _status_line(line)
    if match is None:
        raise explained(
            "bad-http-message", f"no status line of HTTP/1.1 with a status of 200 to 599 at byte 0: {line[:80]!r}"
        )
    status = int(match[2])
    if method == "HEAD" or status in _WITHOUT_CONTENT:
        body = b""
        _check_end(data, start)
    else:
        fields, content = _parse_content(data, start, fields, match[1])
        body = data[start:] if content is None else content
        if body and status == 205:
            raise explained("bad-http-message", f"content at byte {start}, but the status 205 has none")
    response = Response(None, status, [field for field in fields if field[0] != "transfer-encoding"])
    response.body = body
    return response


def _parse_head(data: bytes) -> tuple[str, Lines, int]:
    """Return the first line, the header fields, and the position of the body."""
    end = data.find(b"\r\n\r\n", 0, LONGEST_HEAD + 4)
    if end < 0:
        raise explained(
            "bad-http-message", f"the head does not end with an empty line within {min(len(data), LONGEST_HEAD)} bytes"
        )
    line, _, section = data[:end].decode("latin-1").partition("\r\n")
    return line, _parse_fields(section, len(line) + 2), end + 4


def _parse_fields(section: str, at: int) -> Lines:
    """Parse a header section that begins at byte ``at``, without the end of its last line."""
    fields: Lines = []
    for line in section.split("\r\n") if section else ():
        name, colon, value = line.partition(":")
        try:
            if not colon:
                raise explained("bad-http-message", f"a header line without a colon: {line[:80]!r}")
            fields.append((field_name(name), field_value(value.strip(OWS))))
        except ValueError as error:
            raise explained("bad-http-message", f"in the line at byte {at}: {error}") from None
        at += len(line) + 2
    return fields


def _parse_content(data: bytes, start: int, fields: Lines, version: str) -> tuple[Lines, bytes | None]:
    """Return the header fields and the content that they frame; None if they frame no content (RFC 9112 §6.3)."""
    lengths = [value for name, value in fields if name == "content-length"]
    codings = [value for name, value in fields if name == "transfer-encoding"]
    if codings:
        if lengths or version != "1.1" or [coding.lower() for coding in codings] != ["chunked"]:
            raise explained(
                "bad-http-message",
                "a body must be framed by one Content-Length, or, in HTTP/1.1, by one chunked Transfer-Encoding",
            )
        body = _decode_chunks(data, start)
        others = [field for field in fields if field[0] not in ("transfer-encoding", "trailer")]
        return [*others, ("content-length", str(len(body)))], body
    if not lengths:
        return fields, None
    declared = lengths[0]
    if len(lengths) > 1 or not (declared.isascii() and declared.isdigit() and len(declared) < 20):
        raise explained("bad-http-message", f"Content-Length must be one number, not {', '.join(lengths)[:80]!r}")
    end = start + int(declared)
    if end > len(data):
        raise explained(
            "bad-http-message", f"the body at byte {start} ends after {len(data) - start} bytes of {declared}"
        )
    _check_end(data, end)
    return fields, data[start:]


def _decode_chunks(data: bytes, at: int) -> bytes:
    chunks = []
    while True:
        match = _chunk_size(data, at)
        if match is None:
            raise explained("bad-http-message", f"no chunk size at byte {at}")
        at, size = match.end(), int(match[1], 16)
        if not size:
            break
        end = at + size
        if data[end : end + 2] != b"\r\n":
            raise explained("bad-http-message", f"the chunk at byte {at} does not end after {size} bytes")
        chunks.append(data[at:end])
        at = end + 2
    _check_trailers(data, at)
    return b"".join(chunks)


def _check_trailers(data: bytes, at: int) -> None:
    end = at if data.startswith(b"\r\n", at) else data.find(b"\r\n\r\n", at, at + LONGEST_HEAD) + 2
    if end < at:
        raise explained("bad-http-message", f"no empty line ends the trailers at byte {at}")
    _parse_fields(data[at : max(at, end - 2)].decode("latin-1"), at)
    _check_end(data, end + 2)


def _check_end(data: bytes, end: int) -> None:
    if len(data) > end:
        raise explained("bad-http-message", f"{len(data) - end} bytes follow the message, which ends at byte {end}")
