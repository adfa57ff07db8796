"""Query strings and urlencoded forms, parsed and printed by the WHATWG URL standard.

Parsing accepts malformed input: malformed escapes stay as written, malformed UTF-8 becomes U+FFFD.
"""

from binascii import a2b_qp
from collections.abc import Iterable, Mapping
from typing import cast

from antiphon.explanations import explained
from antiphon.http.charset import decode, form_codec
from antiphon.http.grammar import double_broken_escapes, percent_decode
from antiphon.http.multidict import Fields, MultiDict
from antiphon.lazy import compiled_late
from antiphon.speedups import accelerated

# The quoted-printable decoder decodes `=XX` in C, so an escape only needs its `%` turned into `=`. It also removes soft
# line breaks (`=` before a line end), so it must never see one.
_FLAT = bytes.maketrans(b"&=+%", b"\0\0 =")
_SWAPPED = bytes.maketrans(b"%=+", b"=% ")
_VISIBLE_BUT_SEPARATORS = bytes(set(range(0x21, 0x7F)) - set(b"&="))
_PERCENT, _EQUALS = b"%="
_OF_FEW_FIELDS = frozenset([b"=&" * ampersands + b"=" for ampersands in range(32)])

_UNESCAPED = frozenset(b"*-._0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_ESCAPES = [chr(byte) if byte in _UNESCAPED else f"%{byte:02X}" for byte in range(256)]
_ESCAPES[ord(" ")] = "+"

_charset_field = compiled_late(rb"(?:\A|&)_charset_=([^&]*)")


def parse_query(data: bytes, max_fields: int | None = None) -> list[tuple[str, str]]:
    """Return the names and values in a query, in order (WHATWG URL §5.1).

    `a` reads as ("a", ""); an empty field between two `&` is skipped. Raises ValueError, before decoding, for more than
    `max_fields` fields, including empty ones.
    """
    fields = parse_limited(data, max_fields)
    return list(fields.items()) if isinstance(fields, dict) else fields


def parse_limited(data: bytes, max_fields: int | None) -> Fields:
    """Return the same fields, and raise the same errors, as `parse_query`."""
    # Data with fewer than `max_fields` bytes can't exceed the limit.
    if max_fields is not None and 0 < len(data) >= max_fields and data.count(b"&") >= max_fields:
        raise ValueError(f"more than {max_fields} fields")
    return parse_fields(data)


def parse_form(data: bytes, max_fields: int | None = None, charset: str | None = None) -> Fields:
    """Return the names and values in `data`.

    The charset is the value of the `_charset_` field, which browsers fill in; otherwise `charset`, from the content
    type; otherwise UTF-8. Raises ValueError for more than `max_fields` fields, including empty ones.
    """
    if charset is None:
        fields = parse_limited(data, max_fields)
        # A dictionary of the names is at hand, and needs no search.
        may_name_one = "_charset_" in fields if type(fields) is dict else b"_charset_=" in data
        if not may_name_one:
            return fields
    named = _charset_field.search(data)
    codec = form_codec(named[1].decode("latin-1") if named else None, charset)
    if codec == "utf-8":
        return parse_limited(data, max_fields)
    if max_fields is not None and data and data.count(b"&") >= max_fields:
        raise ValueError(f"more than {max_fields} fields")
    return [
        (_text(name, codec), _text(value, codec))
        for piece in data.split(b"&")
        if piece
        for name, _, value in (piece.partition(b"="),)
    ]


def format_query(pairs: Iterable[tuple[str, str]] | Mapping[str, str] | MultiDict[str]) -> str:
    """Return a query with these names and values, in order (WHATWG URL §5.2).

    Raises UnicodeEncodeError, a ValueError, for a lone surrogate.
    """
    items = pairs.items() if isinstance(pairs, (Mapping, MultiDict)) else pairs
    return "&".join([f"{_escape(name)}={_escape(value)}" for name, value in cast("Iterable[tuple[str, str]]", items)])


def check_field(name: str, value: object) -> None:
    """Raise TypeError for a field value that ``str`` would write as Python code, such as a dict."""
    kind = type(value)
    if kind.__str__ is object.__str__ and not isinstance(value, int | float | complex):
        fix = "one of its members, or json.dumps(value)" if isinstance(value, Mapping) else "its text"
        raise explained(
            "url-for-value",
            f"{name!r} in a query must be text, a number or a list of these, not {kind.__name__}: pass {fix}",
            TypeError,
        )


@accelerated
def parse_fields(data: bytes, /) -> Fields:
    """Return the names and values in `data`, however many there are."""
    if _PERCENT not in data:
        pieces = data.decode("utf-8", "replace").replace("+", " ").split("&")
        fields = {name: value for piece in pieces for name, _, value in (piece.partition("="),)}
        if len(fields) == len(pieces) and "" not in fields:
            return fields
        pairs = [(name, value) for piece in pieces if piece for name, _, value in (piece.partition("="),)]
    elif texts := _parse_regular(data):
        text = iter(texts)
        fields = dict(zip(text, text))  # noqa: B905 - the number of texts is even, and the keyword is slow
        return fields if 2 * len(fields) == len(texts) else [*zip(texts[::2], texts[1::2], strict=True)]
    else:
        pairs = _parse_pieces(data)
    fields = dict(pairs)
    return fields if len(fields) == len(pairs) else pairs


def _parse_regular(data: bytes) -> list[str] | None:
    """Decode all names and values in one call: name, value, name, value.

    None unless each field has one raw `=`, visible ASCII, complete escapes, and no NUL.

    `&` and `=` both become NUL, so names and values alternate. NUL ends an incomplete UTF-8 sequence, so malformed
    UTF-8 is decoded as if each name and value were decoded separately.
    """
    separators = data.translate(None, _VISIBLE_BUT_SEPARATORS)
    count = len(separators)
    if separators not in _OF_FEW_FIELDS and separators != b"=&" * (count // 2) + b"=":
        return None
    decoded = a2b_qp(data.translate(_FLAT))
    # A malformed escape leaves its `=`, or is dropped at the very end, but `%3D` also leaves one. So compare lengths: a
    # complete escape shortens the data by two bytes, a malformed one by less.
    if (_EQUALS in decoded or data[-1] == _PERCENT) and len(data) - len(decoded) != 2 * data.count(b"%"):
        return None
    texts = decoded.decode("utf-8", "replace").split("\0")
    # An escaped NUL adds an extra text.
    return texts if len(texts) == count + 1 else None


def _parse_pieces(data: bytes) -> list[tuple[str, str]]:
    pairs = []
    for piece in double_broken_escapes(data).translate(_SWAPPED).split(b"&"):
        if piece:
            name, _, value = piece.partition(b"%")
            value = value.replace(b"%", b"=3D")
            pairs.append((a2b_qp(name).decode("utf-8", "replace"), a2b_qp(value).decode("utf-8", "replace")))
    return pairs


def _escape(text: str) -> str:
    return text.encode().decode("latin-1").translate(_ESCAPES)


def _text(data: bytes, codec: str) -> str:
    return decode(percent_decode(data.replace(b"+", b" ")), codec)
