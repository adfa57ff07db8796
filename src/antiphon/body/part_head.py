"""The head of one part of a form: its header fields, and the names in its Content-Disposition (RFC 7578 §4)."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from antiphon.http.errors import BadRequest, ContentTooLarge, over_limit
from antiphon.http.grammar import MOST_PARAMETERS, TCHARS

_TOKEN = TCHARS.encode()
_WITHOUT_ENCODING = frozenset({b"7bit", b"8bit", b"binary"})
_KNOWN = frozenset({b"content-disposition", b"content-type", b"content-transfer-encoding"})

# The heads that browsers, curl and common libraries write.
# All repetitions are possessive, so that no input makes them take quadratic time.
_PLAIN = rb'[^"%\\\r\n\0]'
_usual_head = re.compile(
    rb'\r\nContent-Disposition: form-data; name="(' + _PLAIN + rb'*+)"(?:; filename="(' + _PLAIN + rb'*+)")?'
    rb"(?:\r\nContent-Type: ([!-~]++(?: [!-~]++)*))?\r\n\r\n"
).match
# Browsers don't escape backslashes, not even before the closing quote. A header that matches is unambiguous.
_usual_disposition = re.compile(rb'form-data; name="([^"]*+)"(?:; filename="([^"]*+)")?').fullmatch
_folded = re.compile(rb"\r\n[ \t]++")
_field = re.compile(rb"(" + _TOKEN + rb")[ \t]*+:([^\r\n\0]*+)").fullmatch
_disposition = re.compile(_TOKEN + rb"[ \t]*+((?:;.*)?)", re.DOTALL).fullmatch
_parameter = re.compile(
    rb"(?:;[ \t]*+)++(?:(" + _TOKEN + rb')[ \t]*+(?:=[ \t]*+(?:"((?:[^"\\]++|\\.?)*+)"|([^";]*+)))?)?[ \t]*+', re.DOTALL
).match
# A backslash before anything else belongs to a path, which some clients send unescaped.
_quoted_pair = re.compile(rb'\\(["\\])')


class IncompleteForm(BadRequest):
    """A form that is too incomplete for any parser."""


class HeadLimits(NamedTuple):
    """Upper bounds on a part's head: ``size`` and ``name`` in bytes, ``fields`` a number of header fields."""

    size: int = 8 << 10
    fields: int = 16
    name: int = 1 << 10


class PartHead(NamedTuple):
    """The head of a part. It is also the event that announces the part.

    ``name`` is the form field's name, None if there is none. ``filename`` is None for a part that is not a file, and
    b"" for a file input in which no file was chosen. Both are the bytes that the client sent, nearly always UTF-8, with
    ``%22`` and backslash escapes undone. ``%0D`` and ``%0A``, which browsers write for line breaks, are kept: decoded
    line breaks could get into a header or a log. A filename can be a path. ``filename*`` is left to the program.
    ``content_type`` is the header's value, or None. ``offset`` is the position in the body at which the content begins.
    ``section`` contains the header fields as sent.
    """

    name: bytes | None
    filename: bytes | None
    content_type: str | None
    offset: int
    section: bytes

    @property
    def fields(self) -> tuple[tuple[bytes, bytes], ...]:
        """The header fields, in order: (name in lower case, value). Raises BadRequest for malformed ones."""
        return tuple(_split_fields(self.section))

    @property
    def has_extended_filename(self) -> bool:
        """True for a ``filename*``, which forms must not have, whatever its continuations (RFC 2231)."""
        if b"*" not in self.section:
            return False
        match = _disposition(dict(self.fields).get(b"content-disposition", b""))
        return match is not None and any(name.startswith(b"filename*") for name in _read_parameters(match[1]))


def read_usual_head(data: bytes, start: int, offset: int, longest: int) -> PartHead | None:
    """Return the head that begins at ``start``, where the boundary ends, if it is complete and in the usual form.

    ``offset`` is the position in the body at which the data begins. Return None for any other head, and for a head of
    more than ``longest`` bytes.
    """
    match = _usual_head(data, start)
    if match is None or match.end() - start > longest:
        return None
    (name, filename, content_type), end = match.groups(), match.end()
    text = None if content_type is None else content_type.decode("latin-1")
    # A named tuple's own constructor takes twice as long.
    return tuple.__new__(PartHead, (name, filename, text, offset + end, data[start + 2 : end - 4]))


def read_head(written: bytes, offset: int, limits: HeadLimits) -> PartHead:
    """Read a head in any form: ``written`` is the rest of the boundary's line and all lines up to the empty one.

    ``offset`` is the position in the body at which the content begins. Raises BadRequest for a malformed head, and for
    a head without Content-Disposition or with a content encoding (RFC 7578 §4.7). Raises ContentTooLarge if a limit is
    exceeded.
    """
    padding, _, section = written.partition(b"\r\n")
    if padding.strip(b" \t"):
        raise BadRequest("A boundary in the form is followed by other text.")
    if section.count(b"\r\n") >= limits.fields:
        detail = f"A part of the form has more than {limits.fields} header fields."
        raise over_limit(ContentTooLarge, "part_fields", limits.fields, detail)
    known: dict[bytes, bytes] = {}
    for field, value in _split_fields(section):
        if field in known:
            raise BadRequest(f"A part of the form has {field.decode().title()} twice.")
        if field in _KNOWN:
            known[field] = value
    if known.get(b"content-transfer-encoding", b"binary").lower() not in _WITHOUT_ENCODING:
        raise BadRequest(
            "A part of the form has a Content-Transfer-Encoding, which forms must not have (RFC 7578 §4.7)."
        )
    if not section:  # Werkzeug reads the fields of such a form, so it must not be taken for an empty one
        raise BadRequest("A part of the form has no Content-Disposition (RFC 7578 §4.2).")
    name, filename = _read_names(known.get(b"content-disposition"))
    if name is not None and len(name) > limits.name:
        detail = f"A field name of the form is longer than {limits.name} bytes."
        raise over_limit(ContentTooLarge, "part_name", limits.name, detail)
    content_type = known.get(b"content-type")
    return PartHead(name, filename, content_type.decode("latin-1") if content_type else None, offset, section)


def too_large_head(limits: HeadLimits) -> ContentTooLarge:
    """Return the error for a head with more bytes than ``limits`` allow."""
    detail = f"A part of the form has more than {limits.size} bytes of header fields."
    return over_limit(ContentTooLarge, "part_head", limits.size, detail)


def _split_fields(section: bytes) -> list[tuple[bytes, bytes]]:
    fields = []
    for line in _folded.sub(b" ", section).split(b"\r\n") if section else ():
        match = _field(line)
        if match is None:
            raise BadRequest("A part of the form has a malformed header field.")
        fields.append((match[1].lower(), match[2].strip(b" \t")))
    return fields


def _read_names(disposition: bytes | None) -> tuple[bytes | None, bytes | None]:
    """Return the name and the filename, without escapes."""
    if disposition is None:
        raise IncompleteForm("A part of the form has no Content-Disposition (RFC 7578 §4.2).")
    if usual := _usual_disposition(disposition):
        name, filename = usual.groups()
        return _unescape(name), _unescape(filename)
    match = _disposition(disposition)
    if match is None:
        raise BadRequest("A part of the form has a malformed Content-Disposition.")
    parameters = _read_parameters(match[1])
    return _unescape(parameters.get(b"name")), _unescape(parameters.get(b"filename"))


def _read_parameters(written: bytes) -> dict[bytes, bytes]:
    """Return the parameters that have a value, with their escapes, by lower-case name."""
    parameters: dict[bytes, bytes] = {}
    position = 0
    for _ in range(MOST_PARAMETERS):
        if position == len(written):
            return parameters
        match = _parameter(written, position)
        if match is None:
            break
        name, quoted, bare = match.groups()
        position = match.end()
        value = bare.rstrip(b" \t") or None if bare else quoted
        # A parameter without a value says nothing, and is passed over.
        if name is None or value is None:
            continue
        key = name.lower()
        if key in parameters:
            raise BadRequest(f"A part of the form has {key.decode()} twice in its Content-Disposition.")
        parameters[key] = value
    if position == len(written):
        return parameters
    raise BadRequest("A part of the form has a malformed Content-Disposition.")


def _unescape(written: bytes | None) -> bytes | None:
    return written and _quoted_pair.sub(rb"\1", written).replace(b"%22", b'"')


_ESCAPES = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A"})


class EncodedPart(NamedTuple):
    """A part of a form. ``filename`` and ``content_type`` are None for a field that isn't a file."""

    name: str
    content: bytes
    filename: str | None = None
    content_type: bytes | None = None

    @property
    def head(self) -> bytes:
        """The header fields of the part. Raises UnicodeEncodeError for a name that UTF-8 can't encode."""
        line = f'Content-Disposition: form-data; name="{self.name.translate(_ESCAPES)}"'
        if self.filename is not None:
            line += f'; filename="{self.filename.translate(_ESCAPES)}"'
        if self.content_type is None:
            return line.encode()
        return b"%s\r\nContent-Type: %s" % (line.encode(), self.content_type)


def encode_multipart(parts: Iterable[EncodedPart], boundary: bytes) -> bytes:
    """Return the body of a form. Raises UnicodeEncodeError for a name that UTF-8 can't encode."""
    start = b"--%s\r\n" % boundary
    chunks = [chunk for part in parts for chunk in (start, part.head, b"\r\n\r\n", part.content, b"\r\n")]
    return b"".join([*chunks, b"--%s--\r\n" % boundary])
