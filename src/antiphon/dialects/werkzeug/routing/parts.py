"""The parts of a rule (path segments and expressions for several segments), and building URLs from them."""

import re
from collections.abc import Callable, Container, Iterable, Mapping
from typing import Any, NamedTuple, TypeAlias

from antiphon.dialects.werkzeug.datastructures.structures import MultiDict
from antiphon.dialects.werkzeug.routing.converters import BaseConverter, IntegerConverter, ValidationError, quote_value

_needs_no_escape = re.compile(r"[A-Za-z0-9._~!$'()*,/:;?@-]*").fullmatch

_KEPT = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$'()*,/:;?@")
_ESCAPES = [chr(byte) if byte in _KEPT else f"%{byte:02X}" for byte in range(256)]
_ESCAPES[ord(" ")] = "+"


def encode_fields(items: Iterable[tuple[Any, Any]]) -> str:
    """Encode names and values as a query, in order. None is omitted. Text is escaped as UTF-8, bytes as they are.

    Raises UnicodeEncodeError, a ValueError, for a lone surrogate.
    """
    return "&".join([f"{_escape(name)}={_escape(value)}" for name, value in items if value is not None])


def _escape(value: Any) -> str:
    if type(value) is str and _needs_no_escape(value):
        return value
    raw = value if isinstance(value, bytes) else str(value).encode()
    return raw.decode("latin-1").translate(_ESCAPES)


class Variable(NamedTuple):
    """A variable in a rule, with its converter."""

    name: str
    converter: BaseConverter


class Weight(NamedTuple):
    """The sort key of parts.

    Parts with more literals come first, then those with longer literals, more variables, and lower weights.
    """

    texts: int
    text_lengths: tuple[tuple[int, int], ...]
    variables: int
    variable_weights: tuple[int, ...]


class Part(NamedTuple):
    """A literal string, or an expression that matches a segment.

    A final expression matches the entire rest of the path. With ``slash_follows``, one slash may follow it.
    """

    content: str
    is_static: bool
    is_final: bool
    slash_follows: bool
    weight: Weight
    pieces: tuple[str | Variable, ...]


_NO_WEIGHT = Weight(0, (), 0, ())
_NOTHING = Part("", True, False, False, _NO_WEIGHT, ())

VALUE = "value_"
"""The prefix of the numbered group names for values."""


class _Open:
    """A part under construction."""

    def __init__(self) -> None:
        self.pieces: list[str | Variable] = []
        self.is_final = False

    def add(self, piece: str | Variable) -> None:
        self.pieces.append(piece)
        if isinstance(piece, Variable) and not piece.converter.part_isolating:
            self.is_final = True

    def finish(self, slash_follows: bool = False) -> Part:
        variables = [piece for piece in self.pieces if isinstance(piece, Variable)]
        if not variables:
            return _NOTHING._replace(content="".join(map(str, self.pieces)))
        weight = self._weight(variables)
        return Part(self.expression(), False, self.is_final, slash_follows, weight, tuple(self.pieces))

    def expression(self) -> str:
        expressions: list[str] = []
        count = 0
        for piece in self.pieces:
            if isinstance(piece, str):
                expressions.append(re.escape(piece))
            else:
                expressions.append(f"(?P<{VALUE}{count}>{piece.converter.regex})")
                count += 1
        return "".join(expressions)

    def _weight(self, variables: list[Variable]) -> Weight:
        texts = [piece for piece in self.pieces if isinstance(piece, str) and piece != "/"]
        lengths = tuple((place, -len(text)) for place, text in enumerate(texts))
        return Weight(-len(texts), lengths, -len(variables), tuple(each.converter.weight for each in variables))


def parts_of(pieces: Iterable[str | Variable]) -> list[Part]:
    """Return the parts of a rule that is given as literals, slashes and variables."""
    parts: list[Part] = []
    part = _Open()
    for piece in pieces:
        if piece == "/" and not part.is_final:
            parts.append(part.finish())
            part = _Open()
        else:
            part.add(piece)
    if part.is_final and part.pieces[-1] == "/":
        part.pieces.pop()
        return [*parts, part.finish(slash_follows=True), _NOTHING]
    return [*parts, part.finish()]


Built: TypeAlias = tuple[str, str, bool]
"""The subdomain or host, the path with the query, and True for a WebSocket."""


class Template:
    """Percent-encoded text with placeholders for values.

    ``fill`` inserts the values from a mapping and returns the text. It raises KeyError for a missing value, or a
    converter's error.
    """

    __slots__ = ("fill", "names")

    def __init__(self, pieces: Iterable[str | Variable], defaults: Mapping[str, Any]) -> None:
        texts: list[str] = []
        fields: list[tuple[str, Callable[[Any], str]]] = []
        for piece in pieces:
            if isinstance(piece, str):
                texts.append(quote_value(piece).replace("%", "%%"))
            elif piece.name in defaults:
                texts.append(piece.converter.to_url(defaults[piece.name]).replace("%", "%%"))
            else:
                texts.append("%s")
                fields.append((piece.name, _writer(piece.converter)))
        self.names = {name for name, _ in fields}
        self.fill = _filler("".join(texts), fields)


def _filler(text: str, fields: list[tuple[str, Callable[[Any], str]]]) -> Callable[[Mapping[str, Any]], str]:
    """Return a function that inserts values into a format, with faster versions for at most one value."""
    if not fields:
        whole = text % ()
        return lambda values: whole  # noqa: ARG005 - there are no placeholders
    if len(fields) == 1:
        name, to_url = fields[0]
        return lambda values: text % to_url(values[name])
    return lambda values: text % tuple([to_url(values[name]) for name, to_url in fields])


def _writer(converter: BaseConverter) -> Callable[[Any], str]:
    """Return a function that converts a value to text: the converter's own, or a faster one with the same result."""
    if type(converter).to_url is BaseConverter.to_url:
        return quote_value
    if type(converter) is IntegerConverter and not converter.fixed_digits:
        return _digits
    return converter.to_url


def _digits(number: Any) -> str:
    return str(int(number))


class Direct:
    """A fast URL builder for a rule with a fixed subdomain that is not for WebSockets.

    ``methods`` are the rule's methods, and ``defaults`` are the values that are not in its path. ``query`` formats
    values that the rule does not use.
    """

    __slots__ = ("_arguments", "_defaults", "_domain", "_fill", "_names", "_query", "methods")

    def __init__(
        self,
        domain: Template,
        path: Template,
        methods: Container[str] | None,
        defaults: Mapping[str, Any],
        query: Callable[[Mapping[str, Any]], str],
    ) -> None:
        self._domain = domain.fill({})
        self.methods = methods
        self._fill = path.fill
        self._names = path.names
        self._defaults = tuple(defaults.items())
        self._arguments = {*self._names, *defaults}
        self._query = query

    def build(self, values: Mapping[str, Any], append_unknown: bool) -> Built | None:
        """Return the URL, or None if a value is missing, contradicts a default, or is rejected by its converter."""
        for name, value in self._defaults:
            if name in values and values[name] != value:
                return None
        try:
            path = self._fill(values)
        except ValidationError:
            return None
        except Exception:
            if self._names <= values.keys():
                raise
            return None  # a missing value caused the error
        if len(values) == len(self._names) or not append_unknown:
            return self._domain, path, False
        unknown = {name: value for name, value in values.items() if name not in self._arguments}
        query = self._query(unknown) if unknown else ""
        return self._domain, f"{path}?{query}" if query else path, False


def build_directly(
    ways: Iterable[Direct], values: Mapping[str, Any], methods: Iterable[str | None], append_unknown: bool
) -> Built | None:
    """Build a URL from the first rule that accepts the values and the method."""
    for method in methods:
        for way in ways:
            takes_method = method is None or way.methods is None or method in way.methods
            if takes_method and (built := way.build(values, append_unknown)):
                return built
    return None


def values_given(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that are not None. If a MultiDict has several values for a key, they become a list."""
    if isinstance(values, MultiDict):
        return {name: found[0] if len(found) == 1 else found for name, found in values.lists() if found}
    return {name: value for name, value in values.items() if value is not None}
