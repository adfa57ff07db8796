"""Ready-made responses, which ``Response`` makes: HTML and templates, streams and events, several parts, files."""

from collections.abc import AsyncIterable, Callable, Iterable, Iterator, Mapping
from os import urandom
from types import CoroutineType
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, TypeGuard, TypeVar

from antiphon.explanations import explained
from antiphon.http.dates import Duration
from antiphon.http.headers import HeaderFields
from antiphon.http.urls.url import URL
from antiphon.response.fields import EVENTS, HTML, NDJSON, SENT_AS_EVENTS, SENT_AT_ONCE, TEXT
from antiphon.response.files import describe_file
from antiphon.response.headers import ResponseHeaders

if TYPE_CHECKING:
    from antiphon.http.media_type import MediaType
    from antiphon.response.events import OnDrain
    from antiphon.response.files import FileSource
    from antiphon.response.response import Response

R = TypeVar("R", bound="Response")


class RequestWithReferrer(Protocol):
    """A request with a referrer: the page that contains its link or form."""

    @property
    def referrer(self) -> object: ...  # text or None; pyright uses the type of the request's descriptor here
    @property
    def url(self) -> object: ...


def html(cls: type[R], body: "str | TemplateString", status: int | None = None, headers: HeaderFields = ()) -> R:
    """Make an HTML response in UTF-8. Escape the values that you insert into text; a t-string escapes its own."""
    if not isinstance(body, str) and is_template(body):
        body = render_template(body)
    return cls(body, status, headers, content_type=HTML) if headers else cls._of_type(HTML, body, status, ())


def template(
    cls: type[R],
    template: str,
    /,
    _status: int | None = None,
    _headers: HeaderFields = (),
    *,
    _block: str | None = None,
    **data: Any,
) -> R:
    """Make a response from a template, rendered at once for the current request, with ``data`` as its variables.

    Names in ``data`` can't begin with an underscore, because the names of options do. With ``_block``, only that
    block is rendered. The template's name determines the type, which is usually HTML. Raises RuntimeError without
    ``app.use(Templates(...))``, and if no request is being handled. Raises TypeError for an unknown option, and for
    positional data.
    """
    # The module of the current request imports this one, so this imports its public name, late.
    from antiphon import current_request

    check_template_data(cls.template, template, data, _status)
    templates = current_request().templates
    text = templates.render(template, _block=_block, **data)
    return cls._of_type(templates.content_type(template), text, _status, _headers)


def back(cls: type[R], request: RequestWithReferrer, default: str = "/", status: int = 303) -> R:
    """Send the client back to the page that it came from (Referer) if that is on this site, otherwise to
    ``default``.
    """
    sent: Any = request.referrer
    here: Any = request.url
    try:
        referrer = URL(sent or "")
    except ValueError:
        referrer = URL()
    is_here = bool(referrer.origin) and referrer.origin == here.origin
    return cls.redirect(referrer.target if is_here else default, status)


def stream(
    cls: type[R],
    chunks: Iterable[bytes | str] | AsyncIterable[bytes | str],
    status: int | None = None,
    headers: HeaderFields = (),
    *,
    content_type: "str | MediaType | None" = None,
) -> R:
    """Make a response whose body is sent while it is being generated. The iterator is always closed.

    Unless ``headers`` say otherwise, the response asks proxies to forward each chunk at once, with ``Incremental:
    ?1`` (RFC 10036) and, for nginx, ``X-Accel-Buffering: no``. Plain text gets ``X-Content-Type-Options: nosniff``,
    so that browsers also show each chunk at once.
    """
    if content_type is None:
        response = cls._of_type(TEXT, chunks, status, headers)
    else:
        response = cls(chunks, status, headers, content_type=content_type)
    response.add_missing(SENT_AT_ONCE)
    return response


def events(
    cls: type[R],
    source: Iterable[Any] | AsyncIterable[Any],
    status: int | None = None,
    headers: HeaderFields = (),
    *,
    heartbeat: Duration | None = 15.0,
    retry: Duration | None = None,
    on_drain: "OnDrain" = "end",
) -> R:
    """Make a response that streams server-sent events (WHATWG HTML §9.2). Each is an ``Event``, text, or a value
    that is sent as JSON.

    While an async source yields nothing, a comment is sent every ``heartbeat``; a blocking source has to yield
    comments itself. After a lost connection, the client reconnects after ``retry``, which is sent with the first
    event. Both are seconds or a timedelta. If the source fails, the last event is named "error". With
    ``on_drain="end"``, the stream ends when the process stops accepting requests; a stream with a blocking source
    ends at its next event. With "finish", it may continue until the grace period is over. An async source is then
    cancelled where it waits; unless it catches this to yield its last events, the last event is named "error", and
    the stream is cut short. The iterator is always closed. Raises TypeError for a source that isn't an iterable of
    events, and ValueError for a ``heartbeat`` that isn't greater than 0, a negative ``retry`` or an unknown
    ``on_drain``.
    """
    from antiphon.response.events import event_stream

    chunks = event_stream(source, heartbeat, retry, on_drain)
    response = cls._of_type(EVENTS, chunks, status, headers)
    response.add_missing(SENT_AS_EVENTS)
    return response


def ndjson(
    cls: type[R], source: Iterable[Any] | AsyncIterable[Any], status: int | None = None, headers: HeaderFields = ()
) -> R:
    """Make a response of JSON values, one per line, sent as they are produced. The iterator is always closed.

    If the iterator fails, or a value can't be serialized, the stream is cut short within a line. Raises TypeError
    for a source that is not an iterable of values.
    """
    from antiphon.response.events import json_lines

    response = cls._of_type(NDJSON, json_lines(source), status, headers)
    response.add_missing(SENT_AT_ONCE)
    return response


def multipart(cls: type[R], parts: "Iterable[Response]", status: int | None = None, headers: HeaderFields = ()) -> R:
    """Make a response of several parts (multipart/mixed, RFC 2046 §5.1.3), each with its own header fields.

    A tool sends each part as a content block of its type; one with a Content-Location is an embedded resource.
    Raises TypeError for a part that is streamed.
    """
    boundary = urandom(16).hex()
    body = bytearray()
    for part in parts:
        if not isinstance(part, ResponseHeaders) or not isinstance(part.body, bytes):
            kind = type(part).__name__
            message = f"a part must be a response with its content as bytes, not {kind} with a stream"
            raise explained("wrong-body", message, TypeError)
        fields = "".join(f"{name}: {value}\r\n" for name, value in part.headers.items())
        body += f"--{boundary}\r\n{fields}\r\n".encode("latin-1") + part.body + b"\r\n"
    made = bytes(body) + f"--{boundary}--\r\n".encode()
    return cls._of_type(f"multipart/mixed; boundary={boundary}", made, status, headers)


def file(
    cls: type[R],
    source: "FileSource",
    status: int | None = None,
    headers: HeaderFields = (),
    *,
    filename: str | None = None,
    as_attachment: bool = False,
    inline: bool = False,
    content_type: "str | MediaType | None" = None,
    etag: bool = True,
    modified: bool = True,
    conditional: bool = True,
) -> R:
    """Make a response from a file: an absolute path, or a binary file object, which is sent from its current
    position and closed.

    Use it for paths that you choose, not for paths from a client. Without ``content_type``, the file's name
    determines the type, and browsers never guess another (``X-Content-Type-Options: nosniff``). With ``filename``
    or ``as_attachment``, and for an upload, browsers save the file, as ``filename`` or under its own name (RFC
    6266). They show it only with ``inline``, which lets an HTML file from a client run scripts on your site. A file
    given by path gets Last-Modified and an ETag made from its modification time and size;
    ``modified=False`` and ``etag=False`` leave them out. ``headers`` take precedence over all of these. With
    ``conditional``, the server applies the request's conditions and ranges, as ``make_conditional`` does.

    Raises NotFound (404) for anything that is not a regular file, Forbidden (403), ValueError for a relative path,
    for a ``filename`` that can't be sent and for both ``as_attachment`` and ``inline``, and TypeError for anything
    but a path or a binary file.
    """
    body, content_type, fields = describe_file(
        source,
        headers,
        filename=filename,
        as_attachment=as_attachment,
        inline=inline,
        content_type=content_type,
        etag=etag,
        modified=modified,
    )
    response = cls(body, status, fields, content_type=content_type)
    response.is_conditional = conditional
    return response


def check_template_data(
    maker: Callable[..., Any], template: object, data: Mapping[str, Any], status: object = None
) -> None:
    """Check that no name in the data is, or may become, the name of an option.

    Raises TypeError for a name that begins with an underscore, for a mapping instead of a status, for a template that
    is not text, and for a coroutine, which a template would print.
    """
    if not isinstance(template, str):
        name, kind = maker.__qualname__, type(template).__name__
        message = f"{name} takes the name of a template first, not {kind}: {name}(template, name=value)"
        raise explained("bad-template-option", message, TypeError)
    if isinstance(status, Mapping):
        name = maker.__qualname__
        message = f"{name} takes data by name, not as a dict: {name}(template, name=value), or **data"
        raise explained("bad-template-option", message, TypeError)
    for name, value in data.items():
        if name[:1] == "_":
            _refuse(maker, name)
        if type(value) is CoroutineType:
            value.close()
            given = f"{maker.__qualname__}(..., {name}={value.__qualname__}(...))"
            raise explained("coroutine-not-awaited", f"{given} was given a coroutine: `await` it first", TypeError)


def _refuse(maker: Callable[..., Any], name: str) -> NoReturn:
    from difflib import get_close_matches
    from inspect import signature

    options = [option for option in signature(maker).parameters if option[0] == "_"]
    near = get_close_matches(name, options, 1)
    meant = f": did you mean {near[0]!r}?" if near else "."
    raise explained(
        "bad-template-option",
        f"{maker.__qualname__} has no option {name!r}{meant} It has {', '.join(options)}. Names in data can't begin"
        " with an underscore",
        TypeError,
    )


class TemplateString(Protocol):
    """A template string: literal text, and the values in it."""

    @property
    def strings(self) -> tuple[str, ...]: ...
    def __iter__(self) -> Iterator[Any]: ...


def is_template(value: object) -> TypeGuard[TemplateString]:
    """Return True if a value is a template string."""
    kind = type(value)
    return kind.__module__ == "string.templatelib" and kind.__name__ == "Template"


def render_template(template: Iterable[Any]) -> str:
    """Return the HTML of a template string. Values without ``__html__`` that are not template strings are escaped."""
    from html import escape

    parts = []
    conversions: dict[str | None, Callable[[Any], Any]] = {"s": str, "r": repr, "a": ascii, None: lambda value: value}
    for part in template:
        if isinstance(part, str):
            parts.append(part)
        elif hasattr(part.value, "__html__"):
            parts.append(part.value.__html__())
        elif is_template(part.value):
            parts.append(render_template(part.value))
        else:
            parts.append(escape(format(conversions[part.conversion](part.value), part.format_spec)))
    return "".join(parts)
