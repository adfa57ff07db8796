"""From a rule and values to a host and a path."""

from collections.abc import Callable, Container, Iterable, Mapping
from typing import Any

from antiphon.dialects.werkzeug.datastructures import MultiDict
from antiphon.dialects.werkzeug.routing.converters import BaseConverter, IntegerConverter, ValidationError, quote_value
from antiphon.dialects.werkzeug.routing.parts import Variable


class Template:
    """Text, percent-encoded, with places for values."""

    __slots__ = ("fields", "text")

    def __init__(self, pieces: Iterable[str | Variable], defaults: Mapping[str, Any]) -> None:
        texts: list[str] = []
        self.fields: list[tuple[str, Callable[[Any], str]]] = []
        for piece in pieces:
            if isinstance(piece, str):
                texts.append(quote_value(piece).replace("%", "%%"))
            elif piece.name in defaults:
                texts.append(piece.converter.to_url(defaults[piece.name]).replace("%", "%%"))
            else:
                texts.append("%s")
                self.fields.append((piece.name, _writer(piece.converter)))
        self.text = "".join(texts) if self.fields else "".join(texts).replace("%%", "%")

    def fill(self, values: Mapping[str, Any]) -> str:
        """The text with values. Raises KeyError for a missing one, and what a converter raises."""
        fields = self.fields
        if not fields:
            return self.text
        if len(fields) == 1:
            name, to_url = fields[0]
            return self.text % to_url(values[name])
        return self.text % tuple([to_url(values[name]) for name, to_url in fields])


def _writer(converter: BaseConverter) -> Callable[[Any], str]:
    """What makes text of a value: the converter, or what it comes to."""
    if type(converter).to_url is BaseConverter.to_url:
        return quote_value
    if type(converter) is IntegerConverter and not converter.fixed_digits:
        return _digits
    return converter.to_url


def _digits(number: Any) -> str:
    return str(int(number))


class Direct:
    """How to build a rule that has no defaults, is on one subdomain and for HTTP.

    ``methods`` are those of the rule; ``query`` prints what the path has no place for.
    """

    __slots__ = ("_names", "_query", "_template", "domain", "methods")

    def __init__(
        self,
        domain: Template,
        path: Template,
        methods: Container[str] | None,
        query: Callable[[Mapping[str, Any]], str],
    ) -> None:
        self.domain = domain.text
        self.methods = methods
        self._template = path
        self._names = {name for name, _ in path.fields}
        self._query = query

    def fill(self, values: Mapping[str, Any], append_unknown: bool) -> str | None:
        """The path, with a query. None where a value is missing or is none for this rule."""
        names = self._names
        try:
            path = self._template.fill(values)
        except ValidationError:
            return None
        except Exception:
            if names <= values.keys():
                raise
            return None  # whatever else is wrong, a value is missing
        if len(values) == len(names) or not append_unknown:
            return path
        query = self._query({name: value for name, value in values.items() if name not in names})
        return f"{path}?{query}" if query else path


def build_directly(
    ways: Iterable[Direct], values: Mapping[str, Any], methods: Iterable[str | None], append_unknown: bool
) -> tuple[str, str, bool] | None:
    """Domain and path of the first rule that takes the values and a method, and that it is for no WebSocket."""
    for method in methods:
        for way in ways:
            if method is None or way.methods is None or method in way.methods:
                path = way.fill(values, append_unknown)
                if path is not None:
                    return way.domain, path, False
    return None


def values_given(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that are there. One that a MultiDict has several times is a list."""
    if isinstance(values, MultiDict):
        return {name: found[0] if len(found) == 1 else found for name, found in values.lists() if found}
    return {name: value for name, value in values.items() if value is not None}
