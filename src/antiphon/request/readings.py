"""The parsed content of a request: the URL and query of its head, and its body as text, as a form and as typed values.

``Request`` has a property or method for each of them and caches the result.
"""

from collections.abc import Callable, Coroutine, Iterable
from functools import cache
from time import monotonic
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, overload

from antiphon.body.content import FORM_DATA, Content, NotLoadedError
from antiphon.body.receiver import SMALL_BODY, Pace, first_overdue, resume_first
from antiphon.concurrency.iterables import resume
from antiphon.explanations import explained
from antiphon.http.errors import (
    ContentTooLarge,
    HTTPError,
    RequestTimeout,
    UnsupportedMediaType,
    URITooLong,
    over_limit,
)
from antiphon.http.head import DerivedHead, Head, RequestHead
from antiphon.http.headers import HeaderFields
from antiphon.http.limits import Limits
from antiphon.http.multidict import Fields, MissingKey, MultiDict, multidict_of
from antiphon.http.urls.path import query_too_long, quoted_path, quoted_root
from antiphon.http.urls.url import URL, check_host_given, encode_path, encode_query, parse_host, unquote
from antiphon.http.urls.urlencoded import parse_fields, parse_form
from antiphon.request.interfaces import CSRF_FIELD
from antiphon.request.watching import Reads, WatchedArgs, unwatched, watches_of
from antiphon.uploads.upload import Upload

if TYPE_CHECKING:
    from typing_extensions import TypeForm  # PEP 747; type checkers know this module without installing it

    from antiphon.request.request import Request
    from antiphon.serialization.rows import OnFault, RowValues
    from antiphon.serialization.unknown_members import OnUnknown

T = TypeVar("T")


def head_of(url: str, method: str, headers: HeaderFields) -> RequestHead:
    """Return the head of a request for a path or a full URL.

    Characters that aren't allowed there are percent-encoded. Raises ValueError for a scheme without a host, and for an
    invalid host.
    """
    target = URL(url)
    authority = target.netloc.rpartition("@")[2]
    if authority:
        check_host_given(authority)
    elif target.scheme:
        raise explained("bad-url", f"a URL with a scheme must have a host: {url[:300]!r}")
    path = target.path if target.path[:1] == "/" else f"/{target.path}"
    return RequestHead(
        method,
        unquote(path),
        encode_query(target.query).encode(),
        headers,
        scheme=target.scheme or "http",
        authority=authority or None,
        raw_path=encode_path(path).encode(),
    )


def host_of(head: Head) -> tuple[str, int | None]:
    """Return the host, in lower case, and the port that a head names; ``("", None)`` if they are malformed."""
    try:
        return parse_host(head.authority)
    except ValueError:
        return "", None


def url_of(head: Head, host: str) -> URL:
    """Return the full URL that a head was sent to, without a host if ``host`` is empty."""
    path, raw = head.path, head.raw_path
    return URL.build(
        scheme=head.scheme,
        host=head.authority if host else "",
        root_path=quoted_root(head.root_path, path, raw),
        path=quoted_path(path, raw),
        query=head.query_string,
    )


def query_fields_of(head: Head, limits: Limits) -> Fields:
    """Return the names and values in a query.

    Raises URITooLong (414) above ``limits.query`` bytes or ``limits.fields`` fields.
    """
    query = head.query_string
    size, most = len(query), limits.fields
    if size > limits.query:
        raise query_too_long(size, limits.query)
    if size >= most and query and query.count(b"&") >= most:  # a shorter query can't exceed it
        raise over_limit(URITooLong, "fields", most, f"The query has more than {most} fields.")
    return parse_fields(query)


def args_of(request: "Request") -> MultiDict[str]:
    """Return a query's arguments; if the request is watched, they record the names under which they are read."""
    head = request.head
    if Reads.are_args_named or (isinstance(head, DerivedHead) and any(watches_of(head))):
        return _watched_args(request, head)
    return multidict_of(query_fields_of(head, request.limits))


def _watched_args(request: "Request", head: Head) -> MultiDict[str]:
    """Return such arguments. A function of its own, so that variables of the other are no cells."""
    return WatchedArgs(head, lambda: query_fields_of(head, request.limits))


def urlencoded_fields_of(request: "Request") -> Fields | None:
    """Return the names and values of a urlencoded form, parsed again; None for any other body.

    Raises ContentTooLarge (413) beyond a limit.
    """
    charset = None
    if request.head.field("content-type") != FORM:  # nearly all forms are declared this way
        if request.mimetype != FORM:
            return None
        charset = request.charset
    limits = request.limits
    data = request._whole(limits)  # noqa: SLF001 - returns the same as ``body``
    try:
        return parse_form(data, limits.fields, charset)
    except ValueError:
        detail = f"The form has more than {limits.fields} fields."
        raise over_limit(ContentTooLarge, "fields", limits.fields, detail) from None


FORM = "application/x-www-form-urlencoded"
SIGNING = ("signature", "expires")
"""The query fields that are added to a signed URL."""


class JSONObject(dict[str, Any]):
    """The members of a JSON object. Reading a missing member with ``[]`` raises a KeyError that becomes a 400, as in a
    form.
    """

    __slots__ = ()

    def __missing__(self, name: str) -> NoReturn:
        raise MissingKey(name)

    if not TYPE_CHECKING:  # reading any other attribute is an error to type checkers, too

        def __getattr__(self, name: str) -> NoReturn:
            message = f"a JSON object has no attribute {name!r}; use request.json[{name!r}], or request.json_as(Order)"
            raise AttributeError(message, name=name, obj=self)


def not_loaded(content: Content, reader: str, receive: str) -> Exception:
    """Return the error for code in ``reader`` that reads a body on an event loop before the body has arrived."""
    if receive == "load":
        who = f"a hook or middleware of {reader}"
        fix = (
            "first, in an `async def`, because a large body, or a body of unknown length, arrives later; or write"
            " @app.middleware(loads_body=True)"
        )
    else:
        who = reader
        fix = 'first, or give its route receive="load"'
    return content.failure_again() or explained(
        "body-not-loaded",
        NotLoadedError(
            f"this request's body is not loaded yet, and {who} runs on an event loop, which reading it would block:"
            f" `await request.aload()` {fix}"
        ),
    )


def refused_json(error: HTTPError) -> Exception:
    """Return the error for a body that isn't JSON: the client's, unless the handler calls ``request.json`` as a method,
    as in ``c.json({"a": 1})``. Then each client would get it, whatever it sends.
    """
    from antiphon.explanations.notes import called_from

    caller = called_from()
    if caller is None:
        return error
    fix = "leave out the () and the await; to respond with JSON, return the value itself"
    return explained("json-is-an-attribute", f"{caller}: request.json is an attribute, not a method: {fix}", TypeError)


def wrong_type(
    wanted: str, content_type: str | None, accepted: Iterable[str], field: str = "accept"
) -> UnsupportedMediaType:
    """Return the error for a body of the wrong type. ``content_type`` is the declared one.

    The accepted types are listed in its Accept (RFC 9110 §15.5.16), and in the ``field``.
    """
    sent = f"not {content_type[:80]}" if content_type else "but its type is not declared"
    return UnsupportedMediaType(
        f"The body must be {wanted}, {sent}.", headers=dict.fromkeys(("accept", field), ", ".join(accepted))
    )


def read_whole(content: Content, limits: Limits, *, is_json: bool = False) -> bytes:
    """Return the bytes of a received body. Raises ContentTooLarge (413) for more than the limits allow."""
    content.check_size(limits)
    if content.size > limits.memory:
        detail = f"The body is longer than the {limits.memory} bytes that are read as a whole."
        raise over_limit(ContentTooLarge, "memory", limits.memory, detail)
    if is_json and content.size > limits.json:
        detail = f"The body is longer than the {limits.json} bytes that are read as JSON."
        raise over_limit(ContentTooLarge, "json", limits.json, detail)
    return content.read_all()


@cache
def json_decoder() -> Callable[..., object]:
    """Return the function that decodes JSON.

    The import is cached, because a repeated import statement takes as long as decoding a small body.
    """
    from antiphon.serialization.json import decode_json

    return decode_json


# Typed values


def args_as(request: "Request", wanted: type[T], *, unknown: "OnUnknown" = "ignore") -> T:
    """Return the query's arguments as a dataclass, TypedDict or Struct.

    With ``unknown="refuse"``, arguments that it doesn't declare are invalid, except those that sign the URL. Raises
    UnprocessableContent (422), naming each invalid field, and the same errors as ``args``.
    """
    from antiphon.serialization.readers import fields_as, names_read

    others = SIGNING if getattr(request.route, "signed_url", False) else ()
    args = request.args
    if isinstance(args, WatchedArgs) and unknown == "ignore" and (names := names_read(wanted)) is not None:
        args = args.only(names)
    return fields_as(args, wanted, "query", limits=request.limits, unknown=unknown, others=others)


def headers_as(request: "Request", wanted: type[T]) -> T:
    """Return headers as a dataclass, TypedDict or Struct. Its ``x_user`` field contains the X-User header.

    A list field gets the elements of a list-valued header (RFC 9110 §5.6.1). Raises UnprocessableContent (422),
    naming each invalid field.
    """
    from antiphon.serialization.readers import headers_as

    return headers_as(request.headers, wanted)


@overload
def json_as(request: "Request", wanted: type[T], *, unknown: "OnUnknown" = ...) -> T: ...
@overload  # a union is not a ``type`` to type checkers
def json_as(request: "Request", wanted: "TypeForm[T]", *, unknown: "OnUnknown" = ...) -> T: ...
def json_as(request: "Request", wanted: "TypeForm[T]", *, unknown: "OnUnknown" = "ignore") -> T:
    """Return the content as a dataclass, TypedDict, Struct or other type, such as ``Order | None``.

    With ``unknown="refuse"``, members that the type doesn't declare are invalid. Raises UnprocessableContent (422),
    naming each invalid field by JSON Pointer, and the same errors as ``json``.
    """
    from antiphon.serialization.readers import json_as

    limits = request.limits
    return json_as(request._json_body(limits), wanted, limits=limits, unknown=unknown)


@overload
def patched(request: "Request", current: T, *, unknown: "OnUnknown" = ...) -> T: ...
@overload
def patched(request: "Request", current: object, wanted: type[T], *, unknown: "OnUnknown" = ...) -> T: ...
def patched(request: "Request", current: Any, wanted: Any = None, *, unknown: "OnUnknown" = "refuse") -> Any:
    """Return a changed copy of a value, such as a dataclass or a dict, after applying the body to its JSON: a JSON
    Patch (RFC 6902) or a JSON Merge Patch (RFC 7396).

    The copy is read as ``wanted``, by default the value's own class. Members that it doesn't declare can't be
    changed; with ``unknown="ignore"``, a patch may contain them. Raises UnprocessableContent (422), naming each
    invalid field of the copy, Conflict (409) for an operation that doesn't fit the value, such as a failed test,
    BadRequest (400) for a malformed patch, and UnsupportedMediaType (415) with Accept-Patch (RFC 5789 §2.2).
    """
    from antiphon.serialization.patches import JSON_PATCH, MERGE_PATCH, patched

    if request.mimetype not in (JSON_PATCH, MERGE_PATCH):
        accepted = (JSON_PATCH, MERGE_PATCH)
        raise wrong_type(" or ".join(accepted), request.head.field("content-type"), accepted, "accept-patch")
    limits, kind = request.limits, type(current) if wanted is None else wanted
    return patched(request._json_body(limits), request.mimetype, current, kind, limits, unknown)


def check_form(request: "Request") -> None:
    """Raise UnsupportedMediaType (415) for a body that is not a form."""
    if request.mimetype not in (FORM, FORM_DATA) and (request.mimetype or not request.content.is_empty):
        raise wrong_type("a form", request.head.field("content-type"), (FORM, FORM_DATA))


def form_as(request: "Request", wanted: type[T], *, unknown: "OnUnknown" = "ignore") -> T:
    """Return the form as a dataclass, TypedDict or Struct. Its fields may be files (``Upload``).

    With ``unknown="refuse"``, fields that it doesn't declare are invalid, except the CSRF token. Raises
    UnprocessableContent (422), naming each invalid field, UnsupportedMediaType (415) for a body that is not a form,
    and the same errors as ``form``.
    """
    check_form(request)
    from antiphon.serialization.readers import fields_as

    return fields_as(
        request.form,
        wanted,
        "form",
        files=request.files,
        file_type=Upload,
        limits=request.limits,
        unknown=unknown,
        others=(CSRF_FIELD,),
    )


def values_as(
    request: "Request",
    wanted: type[T],
    *,
    file: "Upload | None" = None,
    on_fault: "OnFault" = "raise",
    unknown: "OnUnknown" = "ignore",
    delimiter: str = ",",
    charset: str = "utf-8",
) -> "RowValues[T]":
    """The rows of a body of any size, as values of a type, while they arrive: JSON lines, JSON text sequences (RFC
    7464), the items of a JSON array, or CSV whose first line has the names (RFC 4180). With ``header=absent`` in its
    media type, the columns of CSV are the fields in their order. ``delimiter`` is that of CSV, as is ``charset`` unless
    the media type has one, which browsers leave out.

    Iterate over them with ``for`` or ``async for``. ``file`` is an uploaded file to read instead; one whose name
    ends in .csv is CSV, whatever the client claims. Raises TypeError for any other object, and ValueError for an
    unknown ``charset``. ``on_fault="collect"`` leaves out wrong rows, for which
    ``error`` is the 422 afterwards; a function, such as ``wrong.append``, is called with the 422 of each. With
    ``unknown="refuse"``, members and columns that the type doesn't declare are invalid. Raises UnsupportedMediaType
    (415) for any other media type, and for CSV of a type that can't be read from text.
    """
    from antiphon.serialization.rows import ACCEPTED_ROWS, RowValues, type_of_rows

    if file is not None and not isinstance(file, Upload):
        fix = "reads an Upload, such as request.files['rows']; read other rows with csv, and each with check_as"
        raise explained("wrong-arguments", f"values_as(file=...) {fix}, not {type(file).__name__}", TypeError)
    media_type = (
        type_of_rows(request.content_type, "") if file is None else type_of_rows(file.content_type, file.filename)
    )
    if media_type is None:
        sent = request.head.field("content-type") if file is None else file.mimetype
        raise wrong_type("rows (CSV, JSON lines or a JSON array)", sent, ACCEPTED_ROWS)
    chunks, achunks = (request.stream, request.stream) if file is None else (file.chunks(), file.achunks())
    return RowValues(chunks, achunks, wanted, media_type, request.limits, on_fault, unknown, delimiter, charset)


# A small body

_WITHOUT_CONTENT = frozenset(("GET", "HEAD", "OPTIONS", "TRACE", "DELETE"))
"""The methods that give a body no meaning (RFC 9110 §9.3)."""


def read_small_body(request: "Request", limits: Limits) -> bool | Coroutine[Any, Any, bool]:
    """Receive a small body if it comes as one chunk. Return True if it did, False if ``load`` has to read it.

    If neither the method nor a header announces a body, the first chunk shows that there is none, as nearly always.
    If the chunk hasn't arrived yet, return a coroutine that waits for it and then returns True or False, or raises
    RequestTimeout (408). A blocking head never needs a coroutine.
    """
    head = request.head
    length = head.uncoded_length
    if request._content is not None:
        return False
    if length is None:
        if not expects_no_body(request):
            return False
        length = 0
    elif length > SMALL_BODY or length > limits.body:
        return False
    elif not length:
        request._content = b""
        return True
    try:
        data: Any = head.receive()
        if not isinstance(data, bytes):
            receiving = data
            has_ended, data = resume(receiving, None) or (True, b"")
            if not has_ended:
                return _wait_for_small_body(request, receiving, data, length, limits)
    except (HTTPError, OSError) as error:
        request.content.break_off(error)
        return False
    if len(data) == length:
        request._content = data
        return True
    request.content.hold(data)
    return False


def expects_no_body(request: "Request") -> bool:
    """True if a body may come, but the method gives it no meaning (RFC 9110 §9.3), and no header announces its
    length: any such request over HTTP/2, and one over HTTP/1.1 in chunks.
    """
    head = request.head
    if head.method not in _WITHOUT_CONTENT or not head.has_body:
        return False
    with unwatched(request):  # no response depends on how a body that has no meaning is announced
        return (head.field("transfer-encoding") or "chunked").lower() == "chunked" and all(
            head.field(name) is None for name in ("content-length", "content-encoding", "expect")
        )


async def _wait_for_small_body(
    request: "Request", receiving: Coroutine[Any, Any, bytes], effect: Any, length: int, limits: Limits
) -> bool:
    """Do the rest of ``read_small_body`` for a body that had not arrived yet."""
    before = monotonic()
    try:
        data = await resume_first(receiving, effect, limits)
        if data is None:
            raise first_overdue(limits)
    except (HTTPError, OSError) as error:
        request.content.begin(Pace(monotonic() - before))
        request.content.break_off(error)
        if isinstance(error, RequestTimeout):
            raise
        return False
    if len(data) == length:
        request._content = data
        return True
    request.content.begin(Pace(monotonic() - before))
    request.content.hold(data)
    return False
