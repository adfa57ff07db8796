from antiphon.http.accept import Accept, AcceptEncoding, AcceptLanguage
from antiphon.http.authorization import Authorization, Challenge, parse_challenges
from antiphon.http.cache_control import CacheControl
from antiphon.http.conditional import ETag, IfMatch, IfNoneMatch, IfRange, generate_etag
from antiphon.http.content_disposition import ContentDisposition
from antiphon.http.cookies import SetCookie, parse_cookies
from antiphon.http.dates import format_http_date, parse_http_date
from antiphon.http.errors import (
    BadGateway,
    BadRequest,
    ClientDisconnected,
    Conflict,
    ContentTooLarge,
    FieldError,
    FieldProblem,
    FieldProblemCode,
    Forbidden,
    Gone,
    HTTPError,
    InsufficientStorage,
    InternalServerError,
    MethodNotAllowed,
    MisdirectedRequest,
    NotFound,
    NotImplementedByServer,
    PreconditionFailed,
    RangeNotSatisfiable,
    ServiceUnavailable,
    TooManyRequests,
    Unauthorized,
    UnprocessableContent,
    UnsupportedMediaType,
    abort,
)
from antiphon.http.event import Event, parse_events
from antiphon.http.head import Address
from antiphon.http.headers import Headers, MutableHeaders
from antiphon.http.link import Link, format_links, parse_links
from antiphon.http.media_type import MediaType
from antiphon.http.multidict import MultiDict
from antiphon.http.ranges import ByteRange, ContentRange, Range
from antiphon.http.redirect import NotModified
from antiphon.http.structured_fields import (
    DisplayString,
    InnerList,
    Item,
    Priority,
    Token,
    format_structured_dictionary,
    format_structured_list,
    parse_structured_dictionary,
    parse_structured_list,
)
from antiphon.http.tracing import ServerTiming, TraceParent
from antiphon.http.urls.url import URL
from antiphon.http.urls.urlencoded import format_query, parse_query
from antiphon.http.user_agent import UserAgent

__all__ = [
    "URL", "Accept", "AcceptEncoding", "AcceptLanguage", "Address", "Authorization", "BadGateway", "BadRequest",
    "ByteRange", "CacheControl", "Challenge", "ClientDisconnected", "Conflict", "ContentDisposition", "ContentRange",
    "ContentTooLarge", "DisplayString", "ETag", "Event", "FieldError", "FieldProblem", "FieldProblemCode", "Forbidden",
    "Gone", "HTTPError", "Headers", "IfMatch", "IfNoneMatch", "IfRange", "InnerList", "InsufficientStorage",
    "InternalServerError", "Item", "Link", "MediaType", "MethodNotAllowed", "MisdirectedRequest", "MultiDict",
    "MutableHeaders", "NotFound", "NotImplementedByServer", "NotModified", "PreconditionFailed", "Priority", "Range",
    "RangeNotSatisfiable", "ServerTiming", "ServiceUnavailable", "SetCookie", "Token", "TooManyRequests", "TraceParent",
    "Unauthorized", "UnprocessableContent", "UnsupportedMediaType", "UserAgent", "abort", "format_http_date",
    "format_links", "format_query", "format_structured_dictionary", "format_structured_list", "generate_etag",
    "parse_challenges", "parse_cookies", "parse_events", "parse_http_date", "parse_links", "parse_query",
    "parse_structured_dictionary", "parse_structured_list",
]  # fmt: skip
