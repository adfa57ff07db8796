"""The return values of handlers, and the responses made from them."""

from collections import UserString
from collections.abc import AsyncIterable, Awaitable, Callable, Iterator, Mapping
from copy import copy
from functools import partial
from os import PathLike
from typing import Any, ClassVar, NamedTuple, Protocol, TypeAlias

from antiphon.app.dispatch.arguments import is_record
from antiphon.app.dispatch.declared import Declared, declared_by, is_foreign_response
from antiphon.explanations import explained
from antiphon.handler.callables import annotations_of, describe, innermost, wrong_return
from antiphon.handler.errors import PROBLEM
from antiphon.handler.failures import failed
from antiphon.http.errors import Problem
from antiphon.http.headers import HeaderFields
from antiphon.lazy import frameworks
from antiphon.request.request import Request
from antiphon.response.fields import (
    BYTES,
    EVENTS,
    HTML,
    JSON,
    NDJSON,
    NO_FIELDS,
    NOT_SNIFFED,
    SENT_AS_EVENTS,
    SENT_AT_ONCE,
    TEXT_ONLY,
    Fields,
    SharedFields,
    completed,
    settle_type,
)
from antiphon.response.fields import declared as lines_of
from antiphon.response.made import TemplateString, is_template
from antiphon.response.message import check_content
from antiphon.response.response import Response, json_encoder, response_of, sent_status
from antiphon.speedups import accelerated

Source = Callable[..., Any]


class _Dataclass(Protocol):
    __dataclass_fields__: ClassVar[dict[str, Any]]


class _Struct(Protocol):
    __struct_fields__: ClassVar[tuple[str, ...]]


class _PydanticModel(Protocol):
    __pydantic_serializer__: ClassVar[Any]


class _WithHtml(Protocol):
    def __html__(self) -> object: ...


class MakesResponse(Protocol):
    """A value that makes the response itself, such as the page of a template.

    If it has to wait for something, which is possible only on an event loop, it returns an awaitable.
    """

    def __response__(self, request: Request, /) -> Response | Awaitable[Response]: ...


Content: TypeAlias = tuple[bytes, SharedFields, int | None]
"""The body, the header fields and the status of a response that is yet to be made, all of them checked."""
_Made: TypeAlias = Content | Response | MakesResponse
_Stream: TypeAlias = Iterator[object] | AsyncIterable[object]
_Content: TypeAlias = (
    str | bytes | bytearray | memoryview | Mapping[str, object] | dict[Any, Any] | list[Any] | _Dataclass | _Struct
    | _PydanticModel | _WithHtml | MakesResponse | TemplateString | _Stream | Response
)  # fmt: skip
ResponseLike: TypeAlias = (
    _Content
    | tuple[_Content | None, int]
    | tuple[_Content | None, HeaderFields]
    | tuple[_Content | None, int, HeaderFields]
)
"""The values that handlers can return, from which responses are made. A TypedDict is treated as a dict."""

_JSON_ONLY = SharedFields.only_typed(JSON)
_BYTES_ONLY = SharedFields.only_typed(BYTES)
_PROBLEM_ONLY = SharedFields.of([*SharedFields.only_typed(PROBLEM), NOT_SNIFFED])

_WANTED = (
    "no response can be made from that: return text, bytes, a dict, list or dataclass, an iterator, a Response,"
    " or (body, status, headers)"
)


async def respond(value: object, source: Source, request: Request) -> Response:
    """Make a response as ``to_response`` does, awaiting it if needed."""
    made = to_response(value, source, request)
    return made if isinstance(made, Response) else await made


def to_response(value: object, source: Source, request: Request) -> Response | Awaitable[Response]:
    """Make a response from a value that ``source`` returned for a request, with the fields that it declares.

    Raises TypeError, with the name of ``source``, if no response can be made from the value, and any error of a value
    that makes the response itself.
    """
    if isinstance(value, Response):
        return value
    made = make_content(value, source, request, declared_by(source))
    if type(made) is tuple:
        return response_of(*made)
    return made if isinstance(made, Response) else made.__response__(request)  # type: ignore[union-attr]  # not a tuple


def make_content(
    value: Any, source: Source, request: Request, declared: Declared | None = None
) -> tuple[bytes, Fields, int | None] | Response | MakesResponse:
    """Return the content of a response as ``to_response`` makes it, or a value that makes the response itself.

    ``declared`` are the types that the source declares, if these have fields.
    """
    if declared is not None and type(value) is not declared.exact:
        value = declared.returned(value)
    try:
        if type(value) is not tuple:
            return _MAKERS.get(type(value), _make)(value, source, request)
        if (usual := text_content(value, TEXT_ONLY)) is not None:
            return usual
        body, status, headers = value if len(value) == 3 else _completed(value, source)
        made = _NOTHING if body is None else _MAKERS.get(type(body), _make)(body, source, request)
        if type(made) is not tuple:
            return _with(made, body, status, headers)
        content, shared, own_status = made
        fields: Fields = lines_of(headers, shared) if headers else shared
        return content, fields, own_status if status is None else sent_status(status, content)
    except Exception as error:
        if wrong := _wrong_return(value, source, error):
            raise wrong from error
        raise


@accelerated
def text_content(value: tuple[Any, ...], shared: SharedFields, /) -> tuple[bytes, Fields, int] | None:
    """Return the content of text with one of the most frequent statuses and header fields; None for other values."""
    if len(value) == 3:
        body, status, headers = value
        if type(body) is str and type(status) is int and 200 <= status < 204:
            return body.encode(), lines_of(headers, shared) if headers else shared, status
    return None


class _WrongReturn(TypeError):
    """A TypeError that already contains its source's name."""


def _wrong_return(value: object, source: Source, error: Exception) -> _WrongReturn | None:
    """Return the error for a value that failed, or None if that error already contains the source's name."""
    mistake = _mistake_in(value)
    if mistake is None and isinstance(error, _WrongReturn):
        return None
    what = mistake or f"a value that can't be made into a response: {error}"
    return explained("wrong-return", _WrongReturn(f"{describe(source)} returned {what}"))


def _mistake_in(value: Any) -> str | None:
    """Return the types in a tuple, and what is wrong with their order or with its header fields, if anything is."""
    if type(value) is not tuple:
        return None
    kinds = ", ".join(type(part).__name__ for part in value)
    if len(value) == 3 and isinstance(value[2], str):
        return f"({kinds}): headers are a dict, such as {{'content-type': 'text/plain'}}"
    if len(value) not in (2, 3) or [place for place, part in enumerate(value) if isinstance(part, int)] not in (
        [0],
        [2],
    ):
        return None
    ordered = "body, status" if len(value) == 2 else "body, status, headers"
    return f"({kinds}): the body comes first, write `return {ordered}`"


def _make(value: Any, source: Source, request: Request) -> _Made:
    kind = type(value)
    if isinstance(value, Response) or hasattr(kind, "__response__"):
        return value  # type: ignore[no-any-return]  # it was just checked
    if html := getattr(value, "__html__", None):
        return Response(str(html()), content_type=HTML)
    if isinstance(value, str | UserString):
        return Response(str(value))
    if isinstance(value, bytes | bytearray | memoryview):
        return Response(bytes(value))
    if isinstance(value, dict | list) or is_record(kind):
        return _json(value, source, request)
    if is_template(value):
        return Response.html(value)
    if (is_error := isinstance(value, BaseException)) and frameworks().told_of(value) is not None:
        return failed(request, value)
    is_foreign = not is_error and is_foreign_response(value)
    if is_foreign and frameworks().is_of_framework(kind):
        return frameworks().response_of(value, request)  # type: ignore[no-any-return]
    if isinstance(value, Iterator | AsyncIterable) and not is_foreign:
        return _stream(value, source, request)
    if _is_mapping(kind):
        return _json(value, source, request)
    raise wrong_return(source, value, _fix(value), _WrongReturn)


def _stream(values: Any, source: Source, request: Request) -> Response:
    """Make a stream of an iterator's values, in the format that the client accepts if the handler declares them."""
    declared = declared_by(source)
    if declared is None or not declared.formats:
        return Response.stream(values)
    from antiphon.handler.cancellation import SAFE
    from antiphon.response.events import event_stream, json_array, json_events, json_lines

    app = request.route.app
    whole = partial(json_encoder(), default=None if app is None else app.json_default)
    encode = _encode_declared(declared, whole) if declared.has_fields else whole
    if declared.formats == (EVENTS,):
        resumes = request.method in SAFE  # only an EventSource reconnects, and it sends GET
        chunks = event_stream(values, on_drain="end" if resumes else "finish", encode=encode)
        return response_of(chunks, completed(SharedFields.only_typed(EVENTS), SENT_AS_EVENTS))
    media = request.accept.best(declared.formats, NDJSON)
    write = {NDJSON: json_lines, EVENTS: json_events, JSON: json_array}[media]
    fields = SENT_AS_EVENTS if media == EVENTS else SENT_AT_ONCE
    return response_of(write(values, encode), completed(SharedFields.only_typed(media), fields))


def _encode_declared(declared: Declared, encode: Callable[[object], bytes]) -> Callable[[object], bytes]:
    return lambda value: encode(declared.item(value))


def _fix(value: object) -> str:
    if isinstance(value, BaseException):
        again = "error" if value.__traceback__ else f"{type(value).__name__}(...)"  # an error handler's own was raised
        return f"an error is raised: `raise {again}`"
    return "; ".join(filter(None, [_WANTED, _hint(value)]))


def _hint(value: object) -> str:
    from antiphon.serialization.json import hint_of_attributes

    if is_foreign_response(value):
        return (
            "it is another library's response: return its content, such as Response.html(text), or a dict for JSON;"
            " for a template, what it renders, such as Response.html(render_to_string(name, values))"
        )
    if isinstance(value, int) and not isinstance(value, bool):
        return f"a status comes after the body: `return body, {value}`, or `abort({value})`"
    if isinstance(value, PathLike):
        return "for a file: Response.file(path)"
    return hint_of_attributes(value)


def is_value(kind: type) -> bool:
    """True for a record class, such as a dataclass or a model, that doesn't make its own response."""
    if hasattr(kind, "__response__") or hasattr(kind, "__html__") or issubclass(kind, Response):
        return False
    return is_record(kind) or hasattr(kind, "__attrs_attrs__")


def refuse_value(hook: Source, value: object) -> None:
    """Raise TypeError, naming the hook, for a record or a list of records that a hook before the handler returned."""
    found = next(
        (type(each) for each in (value if isinstance(value, list) else (value,)) if is_value(type(each))), None
    )
    if found is not None:
        raise value_from_hook(hook, f"a list of {found.__name__}" if isinstance(value, list) else found.__name__)


def value_from_hook(hook: Source, returned: str) -> TypeError:
    """Return the error for a hook before the handler that returned a value: the client would get that value."""
    return explained(
        "value-from-hook",
        f"{describe(hook)} must return None or a response, not {returned}: it is called before the handler, and"
        " what it returns is sent instead of the handler's response. Return None; if the handler needs the value,"
        " provide it as a Dependency; if the route only needs a user, pass before=login_required",
        TypeError,
    )


def _is_mapping(kind: type) -> bool:
    """True for a type with keys, such as a database row."""
    return hasattr(kind, "keys") and hasattr(kind, "__getitem__")


def _json(value: object, _: Source, request: Request) -> Content:
    app = request.route.app
    return json_encoder()(value, None if app is None else app.json_default), _JSON_ONLY, None


def _from_list(value: list[Any], source: Source, request: Request) -> Content:
    _refuse_chunks(value, source)
    return _json(value, source, request)


def _refuse_chunks(value: list[Any], source: Source) -> None:
    """Raise TypeError for a list of bytes, which is a body in WSGI, and would be sent as JSON in base64."""
    if value and type(value[0]) is bytes:
        reason = "JSON has no bytes: return b''.join(chunks), iter(chunks), or Response.json(chunks) for base64"
        raise wrong_return(source, value, reason, _WrongReturn)


def _problem(value: Any, source: Source, request: Request) -> Content:
    """Return the content of problem details, with the status that they contain (RFC 9457 §3.1.2)."""
    body, _, status = _json(value, source, request)
    return body, _PROBLEM_ONLY, sent_status(value.get("status", status), body)


def _from_text(value: str, _: Source, __: Request) -> Content:
    return value.encode(), TEXT_ONLY, None


def _from_bytes(value: bytes, _: Source, __: Request) -> Content:
    return value, _BYTES_ONLY, None


def _from_none(_: None, source: Source, __: Request) -> Content:
    function = innermost(source)
    annotations = annotations_of(function if hasattr(function, "__code__") else type(function).__call__)
    if annotations.get("return", source) in (None, "None", type(None)):
        return b"", NO_FIELDS, 204
    raise explained(
        "forgotten-return",
        _WrongReturn(f"{describe(source)} returned None: a forgotten return? To send a 204, annotate it with -> None"),
    )


def _from_tuple(value: tuple[Any, ...], source: Source, request: Request) -> Response | MakesResponse:
    """Make a response from a tuple inside of another one."""
    made = make_content(value, source, request)
    return response_of(*made) if type(made) is tuple else made  # type: ignore[return-value]  # not a tuple


def _completed(value: tuple[Any, ...], source: Source) -> tuple[Any, Any, HeaderFields]:
    """Return the body, the status and the headers in (body, status) or (body, headers)."""
    if len(value) == 2:
        body, second = value
        return (body, second, ()) if isinstance(second, int | str) else (body, None, second)
    raise explained(
        "wrong-return",
        _WrongReturn(
            f"{describe(source)} returned a tuple of {len(value)};"
            " it must be (body, status), (body, headers) or (body, status, headers)"
        ),
    )


_NOTHING: Content = b"", NO_FIELDS, None
_MAKERS: dict[type, Callable[[Any, Source, Request], _Made]] = {
    str: _from_text, bytes: _from_bytes, dict: _json, list: _from_list, tuple: _from_tuple, type(None): _from_none,
    Problem: _problem,
}  # fmt: skip
"""The functions that make a response from a value of exactly the given type; ``_make`` handles all other values."""


class _Amended(NamedTuple):
    """A value that creates its own response, to which a status and header fields are then added."""

    body: MakesResponse
    status: object
    headers: HeaderFields

    def __response__(self, request: Request) -> Response | Awaitable[Response]:
        made = self.body.__response__(request)
        if isinstance(made, Response):
            return _amended(made, self.status, self.headers)
        return self._wait(made)

    async def _wait(self, made: Awaitable[Response]) -> Response:
        return _amended(await made, self.status, self.headers)


def _with(made: Any, body: object, status: object, headers: HeaderFields) -> Response | MakesResponse:
    """Add a status and header fields to a response, or to a value that makes it."""
    if not isinstance(made, Response):
        return _Amended(made, status, headers)
    return _amended(copy(made) if made is body else made, status, headers)  # a handler may return it again


def _amended(response: Response, status: Any, headers: HeaderFields) -> Response:
    if status is not None:
        response.status = status  # the setter refuses anything but a status
        if status >= 204:
            # As the constructor does, which has not seen this status.
            check_content(status, response.body)
    if headers:
        fields = response.headers
        former = fields.get("content-type")
        fields.update(headers)
        if fields.get("content-type") != former:
            settle_type(response._own_fields())  # noqa: SLF001 - as the constructor does
    return response
