"""The parsed content of a request: the URL and query of its head, and its body as text, as a form and as typed values.

``Request`` has a property or method for each of them and caches the result.
"""

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, NoReturn

from antiphon.body.content import Content, NotLoadedError
from antiphon.explanations import explained
from antiphon.http.errors import ContentTooLarge, HTTPError, UnsupportedMediaType, URITooLong, over_limit
from antiphon.http.head import Head, RequestHead
from antiphon.http.headers import HeaderFields
from antiphon.http.limits import Limits
from antiphon.http.multidict import MissingKey
from antiphon.http.urls.path import quoted_path, quoted_root
from antiphon.http.urls.url import URL, check_host_given, encode_path, encode_query, parse_host, unquote
from antiphon.http.urls.urlencoded import Fields, parse_fields, parse_form

if TYPE_CHECKING:
    from antiphon.request.request import Request


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
        raise explained("bad-url", ValueError(f"a URL with a scheme must have a host: {url[:300]!r}"))
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
        raise query_too_long(query, limits)
    if size >= most and query and query.count(b"&") >= most:  # a shorter query can't exceed it
        raise over_limit(URITooLong, "fields", most, f"The query has more than {most} fields.")
    return parse_fields(query)


def query_too_long(query: bytes, limits: Limits) -> URITooLong:
    """Return the error for a query of more than ``limits.query`` bytes."""
    detail = f"The query is {len(query)} bytes long, but at most {limits.query} are accepted."
    return over_limit(URITooLong, "query", limits.query, detail)


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

DEFAULT_LIMITS = Limits()


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
    return explained("json-is-an-attribute", TypeError(f"{caller}: request.json is an attribute, not a method: {fix}"))


def wrong_type(wanted: str, content_type: str | None) -> UnsupportedMediaType:
    """Return the error for a body of the wrong type. ``content_type`` is the declared one."""
    sent = f"not {content_type[:80]}" if content_type else "but its type is not declared"
    return UnsupportedMediaType(f"The body must be {wanted}, {sent}.")


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
