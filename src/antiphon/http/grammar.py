"""Building blocks of headers: tokens, lists, quoted strings, parameters and weights (RFC 9110 §5.6), percent-decoding.

Reading is lenient: most functions skip malformed text instead of raising an error, and an unclosed quote extends to the
end of the text. Printing is strict: it raises ValueError for text that is not allowed in a header.
"""

import re
from binascii import a2b_qp
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import TypeVar

from antiphon.explanations import explained
from antiphon.lazy import compiled_late


class Value:
    """An object that equals others of its class with the same ``_identity()``, which by default is the printed text."""

    __slots__ = ()

    def _identity(self) -> object:
        return str(self)

    def __eq__(self, other: object) -> bool:
        return self._identity() == other._identity() if isinstance(other, type(self)) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._identity())


BROKEN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_SLICE = 64 << 10
"""The number of bytes decoded at a time. Until `re.sub` returns, it keeps about 80 bytes for each broken escape."""


def percent_decode(data: bytes) -> bytes:
    """Decode the percent-escapes in `data`; broken escapes stay unchanged (WHATWG URL §1.3)."""
    if b"%" not in data:
        return data
    return _by_slices(_undo_escapes, data)


def double_broken_escapes(data: bytes) -> bytes:
    """Write `%25` for each `%` in `data` that does not begin an escape."""
    return _by_slices(_mend, data)


def _undo_escapes(data: bytes) -> bytes:
    return a2b_qp(_mend(data).replace(b"=", b"%3D").replace(b"%", b"="))


def _mend(data: bytes) -> bytes:
    return BROKEN_ESCAPE.sub(b"%25", data)


def _by_slices(read: Callable[[bytes], bytes], data: bytes) -> bytes:
    """Call `read` on slices of `data` and join the results."""
    return read(data) if len(data) <= _SLICE else b"".join([read(part) for part in _slices(data)])


def _slices(data: bytes) -> Iterator[bytes]:
    """Yield slices of `data` that do not cut an escape."""
    start = 0
    while start < len(data):
        end = start + _SLICE
        # An escape that starts in the last two bytes reaches beyond the end, so it begins the next slice.
        if end < len(data) and (percent := data.find(b"%", end - 2, end)) >= 0:
            end = percent
        yield data[start:end]
        start = end


T = TypeVar("T")

OWS = " \t"
"""Optional whitespace: the characters that may surround a value in a header (RFC 9110 §5.6.3)."""

# Possessive throughout: no input causes backtracking, so reading takes linear time.
TCHARS = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"
QUOTED_STRING = r'"(?:[^"\\]++|\\.?)*+"?'
# RFC 9110 allows three decimals. `.2` and more decimals are accepted, too, because clients send them; extra decimals
# are cut off.
_QVALUE = (
    r"(0\.[0-9]{1,3}|1\.0{1,3}|[01]\.?|\.[0-9]{1,3})"
    r"(?:(?<!1\.[0-9]{3})(?<=\.[0-9]{3})[0-9]++|(?<=1\.000)0++)?"
)

SENDABLE = r"\t\x20-\x7e\x80-\xff"
"""The characters of a field value (RFC 9110 §5.5), for use in a character class."""
SENT_QUOTED_STRING = rf'"(?>(?:[\t\x20\x21\x23-\x5b\x5d-\x7e\x80-\xff]++|\\[{SENDABLE}])*)"'
"""A closed quoted string of characters that a field value may contain (RFC 9110 §5.6.4)."""

find_control = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]").search
"""Find the first control character other than a tab."""
find_unsendable = re.compile(f"[^{SENDABLE}]").search
"""Find the first character that isn't allowed in a field value."""

_token = re.compile(TCHARS).fullmatch
_list_elements = compiled_late(rf'(?:[^",]++|{QUOTED_STRING})++', re.DOTALL)
_parameter_pieces = compiled_late(rf'(?:[^";]++|{QUOTED_STRING})++', re.DOTALL)
_quoted_content = compiled_late(r'"((?>(?:[^"\\]++|\\.)*))', re.DOTALL)
_quoted_pair = compiled_late(r"\\(.)", re.DOTALL)
_qvalue = compiled_late(_QVALUE)

_extended_value = compiled_late(r"([A-Za-z0-9!#$%&+\-^_`{}~]++)'[A-Za-z0-9-]*+'([\x20-\x7e]*+)")
_ATTRIBUTE_CHARACTERS = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$&+-.^_`|~")
_ESCAPES = [chr(byte) if byte in _ATTRIBUTE_CHARACTERS else f"%{byte:02X}" for byte in range(256)]


MOST_PARAMETERS = 16
"""The maximum number of parameters that are read, in any header and in the head of any part."""


def is_token(text: str) -> bool:
    """True if `text` is a token: one or more visible ASCII characters, no delimiters (RFC 9110 §5.6.2)."""
    return (text.isidentifier() and text.isascii()) or _token(text) is not None  # most are words, which need no match


def split_list(value: str) -> list[str]:
    """Return the elements of a comma-separated list, stripped, without the empty ones (RFC 9110 §5.6.1).

    Commas inside quoted strings don't separate elements, and the quotes stay. Don't use it for entity tags, which have
    no backslash escapes.
    """
    elements = _list_elements.findall(value) if '"' in value else value.split(",")
    return [stripped for element in elements if (stripped := element.strip(OWS))]


def quote_string(text: str) -> str:
    """Return `text` as a quoted string (RFC 9110 §5.6.4). Raises ValueError for control characters other than a tab."""
    if find_control(text):
        raise explained("bad-http-value", f"a quoted string cannot contain control characters: {text!r}")
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def unquote_string(text: str) -> str:
    """Return the content of a quoted string, up to its closing quote; text without quotes is returned unchanged."""
    if text[:1] != '"':
        return text
    if "\\" not in text:
        return text[1:].partition('"')[0]
    content = _quoted_content.match(text)
    return _quoted_pair.sub(r"\1", content[1]) if content else ""


def quote_if_needed(text: str) -> str:
    """Return a token unchanged, and other text as a quoted string. Raises ValueError as `quote_string` does."""
    return text if _token(text) else quote_string(text)


def split_parameters(text: str) -> list[tuple[str, str]]:
    """Return each parameter in `a=b; c="d"` as (name in lower case, value as written) (RFC 9110 §5.6.6).

    Only the first ``MOST_PARAMETERS`` are read, of which empty ones count. A parameter whose name isn't a token is
    skipped; a parameter without `=` has the value "". Space around `=` is tolerated.
    """
    pairs = []
    if '"' in text:
        pieces = [match[0] for match in islice(_parameter_pieces.finditer(text), MOST_PARAMETERS)]
    else:
        pieces = text.split(";", MOST_PARAMETERS)[:MOST_PARAMETERS]
    for piece in pieces:
        name, _, value = piece.partition("=")
        name = name.strip(OWS)
        if _token(name):
            pairs.append((name.lower(), value.strip(OWS)))
    return pairs


def parse_parameters(text: str) -> dict[str, str]:
    """Return the parameters of `; a=b; c="d"` by lower-cased name; if a name is repeated, the first parameter applies.

    As in browsers, an unquoted value need not be a token (`boundary=a/b`). Parameters without a value, with a quote
    inside an unquoted value or with control characters are skipped.
    """
    parameters: dict[str, str] = {}
    for name, written in split_parameters(text):
        if name in parameters or not written or find_control(written):
            continue
        if written[0] == '"':
            parameters[name] = unquote_string(written)
        elif '"' not in written:
            parameters[name] = written
    return parameters


def format_parameters(parameters: Mapping[str, str]) -> str:
    """Return `; a=b; c="d"`, quoting if needed, or "" if there are none.

    Raises ValueError if a name is not a token or a value has control characters other than a tab.
    """
    for name in parameters:
        if not _token(name):
            raise explained("bad-http-value", f"a parameter's name must be a token: {name!r}")
    return "".join([f"; {name}={quote_if_needed(value)}" for name, value in parameters.items()])


class _QualitiesAsWritten(dict[str, float]):
    """The number for each weight as written. The usual weights need no conversion; an absent weight is 1."""

    def __missing__(self, written: str) -> float:
        return float(written)


_QUALITIES = _QualitiesAsWritten({"": 1.0} | {f"0.{tenths}": tenths / 10 for tenths in range(10)})


def weighted_element(item: str, *, parameters: bool = False) -> re.Pattern[str]:
    """Return the pattern for one element `item;q=0.5` in a list, for the functions below (RFC 9110 §12.4.2).

    `item` is a regular expression without groups. With `parameters`, an item may have parameters other than a weight,
    and is found as written, with all its parameters.
    """
    # A malformed element also matches, with empty groups, so that no match begins inside one.
    broken = rf'(?:[^",]++|{QUOTED_STRING})*+'
    weight = rf";[ \t]*+[qQ][ \t]*+=[ \t]*+{_QVALUE}[ \t]*+"
    if parameters:
        item = rf"(?:{item})(?:[ \t]*+;{broken})??"
    return compiled_late(rf"(?:\A|,)[ \t]*+(?:({item})[ \t]*+(?:{weight})?(?![^,])|{broken})", re.DOTALL)


def read_weighted(element: re.Pattern[str], value: str) -> list[tuple[str, float]]:
    """Return (item, quality) for each element of a list, in order, skipping malformed ones."""
    return [(item, _QUALITIES[weight]) for item, weight in element.findall(value) if item]


def read_weights(element: re.Pattern[str], value: str) -> dict[str, float]:
    """Return the quality of each item in a list. If an item is repeated, the first one applies."""
    found = element.findall(value)
    found.reverse()
    weights = {item: _QUALITIES[weight] for item, weight in found}
    weights.pop("", None)
    return weights


def parse_qvalue(text: str) -> float:
    """Return the number of a qvalue, 0.0 to 1.0 (RFC 9110 §12.4.2). Raises ValueError for other text."""
    match = _qvalue.fullmatch(text)
    if match is None:
        raise ValueError(f"not a quality from 0 to 1: {text!r}")
    return _QUALITIES[match[1]]


def split_weight(text: str) -> tuple[dict[str, str], float]:
    """Return the parameters without `q`, and the quality in `q`, which is 1.0 if `q` is absent (RFC 9110 §12.4.2).

    Raises ValueError if `q` isn't a qvalue.
    """
    parameters = parse_parameters(text)
    weight = parameters.pop("q", "") or next((value for name, value in split_parameters(text) if name == "q"), "1")
    return parameters, parse_qvalue(weight)


def encode_extended(text: str) -> str:
    """Return text as `UTF-8''...` (RFC 8187 §3.2.1). Raises UnicodeEncodeError, a ValueError, for a lone surrogate."""
    return f"UTF-8''{text.encode().decode('latin-1').translate(_ESCAPES)}"


def decode_extended(value: str) -> str:
    """Return the text of `charset'language'...`, ignoring the language (RFC 8187 §3.2).

    The charset is UTF-8, or ISO-8859-1 by RFC 5987. Characters that should be escaped are tolerated. Raises ValueError
    for another charset, a malformed escape, bytes that are invalid in the charset, and text in any other form.
    """
    match = _extended_value.fullmatch(value)
    charset = match[1].lower() if match else ""
    if match is None or charset not in ("utf-8", "iso-8859-1"):
        raise ValueError(f"not an extended value in UTF-8: {value[:80]!r}")
    raw = match[2].encode()
    if BROKEN_ESCAPE.search(raw):
        raise ValueError(f"a broken percent-escape in an extended value: {value[:80]!r}")
    try:
        return percent_decode(raw).decode(charset)
    except UnicodeDecodeError:
        raise ValueError(f"an extended value that is not {match[1]}: {value[:80]!r}") from None


def read_extended(value: str) -> str | None:
    """Return the text of an extended value; None if it is malformed, or has control characters other than a tab."""
    try:
        text = decode_extended(value)
    except ValueError:
        return None
    return None if find_control(text) else text


def parse_or_none(parse: Callable[[str], T], value: str | None) -> T | None:
    """Return a parsed header; None if it is absent or if ``parse`` raises ValueError."""
    try:
        return None if value is None else parse(value)
    except ValueError:
        return None
