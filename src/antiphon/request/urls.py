"""URLs and requests: the head that stands for a URL, the URL that a head was sent to, and its query's fields."""

from antiphon.explanations import explained
from antiphon.http.errors import URITooLong, over_limit
from antiphon.http.head import Head, RequestHead
from antiphon.http.headers import HeaderFields
from antiphon.http.limits import Limits
from antiphon.http.urls.path import quoted_path, quoted_root
from antiphon.http.urls.url import URL, check_host_given, encode_path, encode_query, parse_host, unquote
from antiphon.http.urls.urlencoded import Fields, parse_fields


def head_of(url: str, method: str, headers: HeaderFields) -> RequestHead:
    """Return the head of a request for a path or a whole URL.

    Characters that are not allowed in them are percent-encoded. Raises ValueError for a scheme without a host, and a
    bad host.
    """
    target = URL(url)
    authority = target.netloc.rpartition("@")[2]
    if authority:
        check_host_given(authority)
    elif target.scheme:
        raise explained("bad-url", ValueError(f"a URL with a scheme names a host, too: {url[:300]!r}"))
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
    """Return the whole URL that a head was sent to, without a host if ``host`` is empty."""
    path, raw = head.path, head.raw_path
    return URL.build(
        scheme=head.scheme,
        host=head.authority if host else "",
        root_path=quoted_root(head.root_path, path, raw),
        path=quoted_path(path, raw),
        query=head.query_string,
    )


def query_fields_of(head: Head, limits: Limits) -> Fields:
    """Return the names and values of a query.

    Raises URITooLong (414) above ``limits.query`` bytes or ``limits.fields`` fields.
    """
    query = head.query_string
    size, most = len(query), limits.fields
    if size > limits.query:
        raise query_too_long(query, limits)
    if size >= most and query and query.count(b"&") >= most:  # fewer bytes than that need no counting
        raise over_limit(URITooLong, "fields", most, f"The query has more than {most} fields.")
    return parse_fields(query)


def query_too_long(query: bytes, limits: Limits) -> URITooLong:
    """Return the error for a query of more than ``limits.query`` bytes."""
    detail = f"The query is {len(query)} bytes long, but at most {limits.query} are accepted."
    return over_limit(URITooLong, "query", limits.query, detail)
