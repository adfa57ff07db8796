"""A urlencoded form in the charset that it says it is in (WHATWG URL §5.1, HTML §4.10.22.5)."""

import re

from antiphon.http.charset import decode, form_codec
from antiphon.http.urlencoded import parse_query, percent_decode

_charset_field = re.compile(rb"(?:\A|&)_charset_=([^&]*)").search


def parse_form(data: bytes, max_fields: int | None = None, charset: str | None = None) -> list[tuple[str, str]]:
    """Return the names and values in `data`, in order.

    They are in the charset that the field `_charset_` names, as browsers fill it in, else in `charset`, which is what
    the content type declares, else in UTF-8. Raises ValueError when there are more than `max_fields` fields; nothing
    between two `&` counts too.
    """
    if charset is None and data.find(b"_charset_=") < 0:
        return parse_query(data, max_fields)
    codec = form_codec(_named_in(data), charset)
    if codec == "utf-8":
        return parse_query(data, max_fields)
    if max_fields is not None and data and data.count(b"&") >= max_fields:
        raise ValueError(f"more than {max_fields} fields")
    return [
        (_text(name, codec), _text(value, codec))
        for piece in data.split(b"&")
        if piece
        for name, _, value in (piece.partition(b"="),)
    ]


def _named_in(data: bytes) -> str | None:
    found = _charset_field(data)
    return found[1].decode("latin-1") if found else None


def _text(data: bytes, codec: str) -> str:
    return decode(percent_decode(data.replace(b"+", b" ")), codec)
