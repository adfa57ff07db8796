"""What a handler may return, and the response that it becomes."""

from collections.abc import AsyncIterable, Callable, Iterable, Iterator
from typing import Any

from antiphon.handler import describe, wrong_return
from antiphon.response import HTML, JSON, Response

Source = Callable[..., Any]

_WANTED = (
    "of that no response can be made: return text, bytes, a dict, list or dataclass, an iterator, a Response,"
    " or (body, status, headers)"
)


def to_response(value: object, source: Source) -> Response:
    """Make a response of what ``source`` returned. Raises TypeError, which names it, for what none can be made of."""
    kind = type(value)
    if kind is str:
        return Response(value)  # type: ignore[arg-type]  # it is a str
    if isinstance(value, Response):
        return value
    if kind is dict or kind is list:
        return _json(value, source)
    if kind is tuple:
        return _from_tuple(value, source)  # type: ignore[arg-type]  # it is a tuple
    if value is None:
        return _from_none(source)
    return _from_object(value, source)


def _json(value: object, source: Source) -> Response:
    from antiphon.json_codec import encode_json

    try:
        return Response(encode_json(value), content_type=JSON)
    except TypeError as error:
        raise TypeError(f"{describe(source)} returned what can't be written as JSON: {error}") from error


def _from_none(source: Source) -> Response:
    annotations: dict[str, Any] = getattr(source, "__annotations__", {})
    if annotations.get("return", source) in (None, "None"):
        return Response(None, 204)
    raise TypeError(f"{describe(source)} returned None: a forgotten return? To answer 204, annotate it with -> None")


def _from_tuple(value: tuple[Any, ...], source: Source) -> Response:
    """(body, status), (body, headers) or (body, status, headers)."""
    if len(value) == 2 and isinstance(value[1], int):
        body, status, headers = value[0], value[1], ()
    elif len(value) == 2:
        body, status, headers = value[0], None, value[1]
    elif len(value) == 3:
        body, status, headers = value
    else:
        raise TypeError(
            f"{describe(source)} returned a tuple of {len(value)};"
            " (body, status), (body, headers) and (body, status, headers) are understood"
        )
    response = Response(None) if body is None else to_response(body, source)
    if status is not None:
        response.status = status
    if headers:
        response.headers.update(headers)
    return response


def _from_object(value: object, source: Source) -> Response:
    if isinstance(value, str | bytes):
        return Response(value)
    if isinstance(value, bytearray | memoryview):
        return Response(bytes(value))
    if html := getattr(value, "__html__", None):
        return Response(str(html()), content_type=HTML)
    if type(value).__module__ == "string.templatelib":
        return Response(render_template(value), content_type=HTML)  # type: ignore[arg-type]  # it is a Template
    if isinstance(value, dict | list) or hasattr(value, "__dataclass_fields__") or hasattr(value, "__struct_fields__"):
        return _json(value, source)
    if isinstance(value, Iterator | AsyncIterable):
        return Response.stream(value)
    raise wrong_return(source, value, _WANTED)


def render_template(template: Iterable[Any]) -> str:
    """The text of a template string (PEP 750), with every value escaped that has no ``__html__``."""
    from html import escape

    parts = []
    conversions: dict[str | None, Callable[[Any], Any]] = {"s": str, "r": repr, "a": ascii, None: lambda value: value}
    for part in template:
        if isinstance(part, str):
            parts.append(part)
        elif hasattr(part.value, "__html__"):
            parts.append(part.value.__html__())
        else:
            parts.append(escape(format(conversions[part.conversion](part.value), part.format_spec)))
    return "".join(parts)
