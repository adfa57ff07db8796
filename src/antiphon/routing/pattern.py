"""The syntax of a route's path: literal segments and parameters, ``/users/<int:id>/files/<name>.<ext>``.

A host pattern consists of labels instead of segments: ``<tenant>.example.com``.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, NamedTuple, TypeAlias

from antiphon.explanations import explained
from antiphon.routing.converters import CONVERTERS, Converter, find_converter

_PARAMETER = re.compile(r"<(?:([a-z_]\w*)(?:\((.*?)\))?:)?([A-Za-z_]\w*)>", re.ASCII | re.DOTALL)
_braces = re.compile(r"\{([A-Za-z_]\w*)(?::(\w+))?\}", re.ASCII).search
_colon = re.compile(r"(?<![^/]):([A-Za-z_]\w*)", re.ASCII).search
"""Match a whole segment written like a parameter in Express or Rails. After other text, a colon has no special
meaning.
"""
_others = re.compile(r"\*+\w*|\{\W?\w+\W[^}]*\}|\(\?|\\\w|[\])][+*]|\?").search
"""Match wildcards, expressions and optional parts as other frameworks write them."""
_plain = re.compile(r"[\w/.~-]*").fullmatch
_label = re.compile(r"[a-z0-9_~-]*").fullmatch


class Parameter(NamedTuple):
    """A segment that its converter matches."""

    name: str
    converter: Converter

    def __str__(self) -> str:
        return f"<{self.converter.name}:{self.name}>"


class Mixed:
    """A segment of text and parameters, ``<name>.<ext>``.

    The first parameter that matches any text takes as much as it can. Values of later parameters don't contain the text
    before them, so matching takes linear time.
    """

    __slots__ = ("_match", "parameters", "parts", "shape", "text_length")

    def __init__(self, parts: list[str | Parameter]) -> None:
        self.parts = tuple(parts)
        self.parameters = [part for part in parts if isinstance(part, Parameter)]
        self.text_length = sum(len(part) for part in parts if isinstance(part, str))
        self.shape = "".join(part if isinstance(part, str) else f"<{part.converter.name}>" for part in parts)
        self._match = re.compile("".join(_expressions(parts)), re.DOTALL).fullmatch

    def reads(self, segment: str, texts: Mapping[str, str]) -> bool:
        """Return True if the parameters in a segment have these values."""
        found = self._match(segment)
        return found is not None and found.groups() == tuple(texts[part.name] for part in self.parameters)

    def to_python(self, segment: str) -> tuple[Any, ...]:
        """Return the value of each parameter. Raises ValueError if the segment does not match."""
        found = self._match(segment)
        if found is None:
            raise ValueError(f"{segment[:50]!r} does not match {self}")
        texts = found.groups()
        return tuple([part.converter.to_python(text) for part, text in zip(self.parameters, texts, strict=True)])

    def __str__(self) -> str:
        return "".join(map(str, self.parts))


def _expressions(parts: list[str | Parameter]) -> Iterator[str]:
    before = ""
    is_first = True
    for part in parts:
        if isinstance(part, str):
            yield re.escape(part)
            before = part
        elif expression := part.converter.expression:
            yield f"((?>{expression}))"
        else:
            yield "(.+)" if is_first else f"((?:(?!{re.escape(before)}).)+)"
            is_first = False


Segment: TypeAlias = str | Parameter | Mixed


def parse_pattern(pattern: str, converters: Mapping[str, Converter] = CONVERTERS) -> list[Segment]:
    """Parse a route's path and return its segments. Raises ValueError if it is malformed."""
    if not pattern.startswith("/"):
        raise explained("bad-path", f"a route's path must begin with a slash: {pattern!r}")
    return _split(pattern[1:], "/", pattern, converters)


def parse_host_pattern(host: str, converters: Mapping[str, Converter] = CONVERTERS) -> list[Segment]:
    """Parse a route's host, and return its labels in order, with their text in lower case, as in a request's host.

    Raises ValueError if the host is malformed.
    """
    labels = [_in_lower_case(label) for label in _split(host, ".", host, converters)]
    for label in labels:
        if any(part.converter.spans for part in parameters_of(label)):
            raise explained("bad-path", f"{host!r}: a host can't contain a path")
    texts = [part for label in labels for part in parts_of(label) if isinstance(part, str)]
    if "" in labels or not all(map(_label, texts)):
        raise explained("bad-path", f"{host!r} is not a host: names and <parameters> between dots, without a port")
    return labels


def _in_lower_case(label: Segment) -> Segment:
    """Return a label with its text in lower case, and its parameters unchanged."""
    if isinstance(label, Mixed):
        return Mixed([part.lower() if isinstance(part, str) else part for part in label.parts])
    return label.lower() if isinstance(label, str) else label


def parts_of(segment: Segment) -> tuple[str | Parameter, ...]:
    """Return the literal parts and parameters of a segment."""
    return segment.parts if isinstance(segment, Mixed) else (segment,)


def parameters_of(segment: Segment) -> list[Parameter]:
    """Return the parameters of a segment."""
    return [part for part in parts_of(segment) if isinstance(part, Parameter)]


def parameters_in(pattern: str, host: str | None, converters: Mapping[str, Converter] = CONVERTERS) -> list[Parameter]:
    """Return the parameters of a route's host and path, in order.

    Raises ValueError if either is malformed, and if two parameters have the same name.
    """
    labels = [] if host is None else parse_host_pattern(host, converters)
    return distinct_parameters([*labels, *parse_pattern(pattern, converters)], (host or "") + pattern)


def path_template(pattern: str, converters: Mapping[str, Converter]) -> tuple[str, dict[str, str]]:
    """Return a path as in OpenAPI, ``/lamps/{number}``, and the name of each parameter's converter, with its bounds."""
    split = [parts_of(segment) for segment in parse_pattern(pattern or "/", converters)]
    written = ["".join([each if isinstance(each, str) else f"{{{each.name}}}" for each in parts]) for parts in split]
    found = {each.name: each.converter for parts in split for each in parts if isinstance(each, Parameter)}
    return "/" + "/".join(written), {name: each.whole_name or each.name for name, each in found.items()}


def distinct_parameters(segments: list[Segment], pattern: str) -> list[Parameter]:
    """Return the parameters of segments. Raises ValueError if two have the same name."""
    found = [part for segment in segments for part in parts_of(segment) if isinstance(part, Parameter)]
    names = [part.name for part in found]
    if len(names) > 1 and (twice := {name for name in names if names.count(name) > 1}):
        raise explained("bad-path", f"{pattern!r} has several parameters named {', '.join(sorted(twice))}")
    return found


def _split(text: str, separator: str, pattern: str, converters: Mapping[str, Converter]) -> list[Segment]:
    if _plain(text):  # without parameters
        return [*text.split(separator)]
    segments: list[list[str | Parameter]] = [[]]
    for part in _parts(text, pattern, converters):
        if isinstance(part, str):
            first, *others = part.split(separator)
            segments[-1].append(first)
            segments.extend([other] for other in others)
        else:
            segments[-1].append(part)
    whole = [_segment([part for part in parts if part], pattern) for parts in segments]
    distinct_parameters(whole, pattern)
    return whole


def _parts(text: str, pattern: str, converters: Mapping[str, Converter]) -> Iterator[str | Parameter]:
    """Yield literal parts and parameters alternately."""
    at = 0
    for found in _PARAMETER.finditer(text):
        yield _literal(text, at, found.start(), pattern, converters)
        try:
            yield Parameter(found[3], find_converter(found[1] or "str", found[2], converters))
        except ValueError as error:
            is_turned = found[3] in converters and found[1] not in converters
            hint = f"; write <{found[3]}:{found[1]}>" if is_turned else ""
            raise explained("bad-path", f"{pattern!r}: {error}{hint}") from None
        at = found.end()
    yield _literal(text, at, len(text), pattern, converters)


def _in_angles(name: str, converter: str | None, converters: Mapping[str, Converter]) -> str:
    """Return the correct form of a parameter that was written in braces, with either its name or its converter
    first.
    """
    if converter is None:
        return f"<{name}>, or <int:{name}> for an int"
    is_first = name in converters and converter not in converters
    return f"<{name}:{converter}>" if is_first else f"<{converter}:{name}>"


def _literal(text: str, start: int, end: int, pattern: str, converters: Mapping[str, Converter]) -> str:
    literal = text[start:end]
    if _plain(literal):
        return literal
    if braces := _braces(literal):
        written = _in_angles(braces[1], braces[2], converters)
        raise explained("bad-path", f"{pattern!r}: a parameter must be written {written}, not {braces[0]}")
    if colon := _colon(text, start, end):
        raise explained("bad-path", f"{pattern!r}: a parameter must be written <{colon[1]}>, not {colon[0]}")
    if others := _others(literal):
        message = f"{pattern!r}: {others[0]} has no meaning in a route's path: {_instead_of(others[0])}"
        raise explained("bad-path", message)
    bracket = min((start + at for at in (literal.find("<"), literal.find(">")) if at >= 0), default=None)
    if bracket is not None:
        segment = text[text.rfind("/", 0, bracket) + 1 :].partition("/")[0]
        raise explained(
            "bad-path", f"{segment!r} in {pattern!r} must be literal, or consist of text and <name> or <converter:name>"
        )
    return literal


def _instead_of(others: str) -> str:
    """Return what to write instead of a wildcard, an optional part or an expression."""
    if others == "?":
        return "a query is in request.args, and an optional part is a second route"
    is_rest = others.startswith(("*", "{*")) or "..." in others
    return "write <path:name> for the rest of a path" if is_rest else "write <int:id>, or <re(...):id>"


def _segment(parts: list[str | Parameter], pattern: str) -> Segment:
    if not parts:
        return ""
    if len(parts) == 1:
        return parts[0]
    segment = Mixed(parts)
    if any(isinstance(one, Parameter) and isinstance(two, Parameter) for one, two in pairwise(parts)):
        written = "".join(part if isinstance(part, str) else _written(part) for part in parts)
        raise explained("bad-path", f"{written!r} in {pattern!r} has two parameters with no text between them")
    if any(part.converter.spans for part in segment.parameters):
        raise explained("bad-path", f"{pattern!r}: a path needs whole segments, with no text next to it")
    return segment


def _written(parameter: Parameter) -> str:
    return f"<{parameter.name}>" if parameter.converter.name == "str" else str(parameter)
