"""Request bodies of every kind, as they are sent, and the result of each way of reading them."""

import gzip
import json
from typing import Any, NamedTuple

BOUNDARY = "the-boundary"
FORM = "application/x-www-form-urlencoded"
FORM_DATA = f"multipart/form-data; boundary={BOUNDARY}"

NAMES = ("body", "text", "json", "form", "files", "stream", "parts", "json_as", "form_as", "a chunk", "a part")
"""The ways of reading a body."""


class Kind(NamedTuple):
    """A body as it is sent, in chunks if it has no length. ``read`` has a value, or an error's status, by way."""

    name: str
    sent: bytes | list[bytes]
    fields: dict[str, str]
    read: dict[str, Any]
    method: str = "POST"

    @property
    def is_declared(self) -> bool:
        return isinstance(self.sent, bytes)


class SentPart(NamedTuple):
    """A part of a form as it is sent, and as ``parts()`` gives it."""

    name: str
    filename: str | None
    content: bytes


def form_data(*parts, is_closed=True):
    """Encode a multipart form (RFC 7578 §4)."""
    chunks = []
    for name, filename, content in parts:
        quoted = f'name="{name}"' if filename is None else f'name="{name}"; filename="{filename}"'
        declared = "" if filename is None else "Content-Type: image/png\r\n"
        chunks += [f"--{BOUNDARY}\r\nContent-Disposition: form-data; {quoted}\r\n{declared}\r\n".encode(), content]
        chunks.append(b"\r\n")
    return b"".join([*chunks, f"--{BOUNDARY}--\r\n".encode() if is_closed else b""])


def in_chunks(content, size):
    return [content[start : start + size] for start in range(0, len(content), size)]


def coded(kind, name):
    """Return a kind of body compressed by gzip."""
    content = kind.sent if kind.is_declared else b"".join(kind.sent)
    sent = gzip.compress(content, 1, mtime=0)
    return kind._replace(name=name, sent=sent, fields=kind.fields | {"content-encoding": "gzip"})


def chunked(kind, name, size):
    return kind._replace(name=name, sent=in_chunks(kind.sent, size))


def kind_of(name, content, content_type=None, **read):
    """Return a kind of body, with the results that every content has unless ``read`` says otherwise."""
    usual = {"body": content, "text": content.decode(errors="replace"), "stream": content, "a chunk": True}
    usual |= {"json": 415, "json_as": 415, "parts": 415, "a part": 415, "form": [], "files": [], "form_as": 415}
    return Kind(name, content, {"content-type": content_type} if content_type else {}, usual | read)


def of_parts(name, parts):
    """Return a multipart form with these parts."""
    fields = [(part.name, part.content.decode()) for part in parts if part.filename is None]
    files = [(part.name, part.filename, "image/png", part.content) for part in parts if part.filename is not None]
    read = {"form": fields, "files": files, "parts": [tuple(part) for part in parts], "a part": tuple(parts[0])}
    return kind_of(name, form_data(*parts), FORM_DATA, **read, form_as=("tea", 3))


ORDER = {"name": "tea", "count": 3}
FEW = (SentPart("name", None, b"tea"), SentPart("file", "a.png", b"\x89PNG\r\n--\r\n"), SentPart("count", None, b"3"))
MANY = (
    SentPart("file", "large.png", bytes(range(256)) * 1600),
    SentPart("name", None, b"tea"),
    SentPart("file", "ü.png", b"\r\n--the-boundar\r\n" * 20_000),
    SentPart("count", None, b"3"),
    SentPart("file", "empty.png", b""),
)
_CUT = {"form": 400, "files": 400, "form_as": 400, "parts": 400, "a part": tuple(FEW[0])}
CUT = kind_of("parts cut off", form_data(*FEW, is_closed=False), FORM_DATA, **_CUT)

NONE = kind_of("none", b"", form_as=422)._replace(method="DELETE")
JSON = kind_of("JSON", json.dumps(ORDER).encode(), "application/json", json=ORDER, json_as=("tea", 3))
URLENCODED = kind_of(
    "urlencoded", b"name=tea&count=3&name=tea", FORM, form=[("name", "tea"), ("count", "3"), ("name", "tea")]
)
IN_PARTS = of_parts("parts in memory", FEW)
LARGE_IN_PARTS = of_parts("parts in a file", MANY)
BINARY = kind_of("binary", bytes(range(256)) * 300, "application/octet-stream")
BINARY_IN_CHUNKS = chunked(BINARY, "binary in chunks", 9999)

KINDS = (
    NONE,
    kind_of("empty", b"", FORM, form_as=422),
    kind_of("no parts", b"", FORM_DATA, form=400, files=400, form_as=400, parts=400, **{"a part": 400}),
    JSON,
    kind_of("malformed JSON", b'{"name": ', "application/json", json=400, json_as=400),
    URLENCODED._replace(read=URLENCODED.read | {"form_as": ("tea", 3)}),
    IN_PARTS,
    CUT,
    LARGE_IN_PARTS,
    BINARY,
    chunked(JSON, "JSON in chunks", 7),
    chunked(IN_PARTS, "parts in chunks", 11),
    chunked(LARGE_IN_PARTS, "large parts in chunks", 100_000),
    BINARY_IN_CHUNKS,
    coded(JSON, "JSON, gzip"),
    coded(LARGE_IN_PARTS, "large parts, gzip"),
    coded(BINARY, "binary, gzip"),
)


def takes_body(kind, name):
    """True if this way of reading reads the body, False if the body's type makes it stop at once."""
    content_type = kind.fields.get("content-type", "")
    if name in ("json", "json_as"):
        return content_type == "application/json"
    if name in ("files", "parts", "a part"):
        return content_type == FORM_DATA
    return name not in ("form", "form_as") or content_type in (FORM, FORM_DATA)
