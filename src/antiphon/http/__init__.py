"""HTTP values: each class parses, stores and prints one kind of value, without I/O."""

from antiphon.lazy import import_on_use

__all__, __getattr__, __dir__ = import_on_use(
    __name__,
    {
        "http.accept": "Accept AcceptEncoding AcceptLanguage",
        "http.authorization": "Authorization Challenge parse_challenges",
        "http.cache_control": "CacheControl",
        "http.conditional": "ETag IfMatch IfNoneMatch IfRange generate_etag",
        "http.content_disposition": "ContentDisposition",
        "http.cookies": "SetCookie parse_cookies",
        "http.dates": "format_http_date parse_http_date",
        "http.errors": (
            "BadGateway BadRequest ClientDisconnected Conflict ContentTooLarge FieldError FieldProblem "
            "FieldProblemCode Forbidden Gone HTTPError InsufficientStorage InternalServerError MethodNotAllowed "
            "MisdirectedRequest NotFound NotImplementedByServer PreconditionFailed RangeNotSatisfiable "
            "ServiceUnavailable TooManyRequests Unauthorized UnprocessableContent UnsupportedMediaType abort"
        ),
        "http.event": "Event parse_events",
        "http.head": "Address",
        "http.headers": "Headers MutableHeaders",
        "http.link": "Link format_links parse_links",
        "http.media_type": "MediaType",
        "http.multidict": "MultiDict",
        "http.structured_fields": (
            "DisplayString InnerList Item Priority Token format_structured_dictionary format_structured_list "
            "parse_structured_dictionary parse_structured_list"
        ),
        "http.ranges": "ByteRange ContentRange Range",
        "http.redirect": "NotModified",
        "http.tracing": "ServerTiming TraceParent",
        "http.urls.url": "URL",
        "http.urls.urlencoded": "format_query parse_query",
        "http.user_agent": "UserAgent",
    },
)
