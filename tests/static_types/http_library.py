"""Functions of libraries that read requests, make responses or use values of HTTP, without an application."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta

from antiphon import Limits, Request, Response, Signer, TrustedProxies, get_response, to_app
from antiphon.http import (
    URL,
    Accept,
    Address,
    ETag,
    Headers,
    HTTPError,
    Link,
    MediaType,
    MultiDict,
    SetCookie,
    UserAgent,
    format_links,
    parse_cookies,
    parse_links,
)
from antiphon.http1 import format_response, parse_request


def next_page(request: Request, page: int) -> Response:
    response = Response.json({"page": page})
    response.links = [Link(str(request.url.with_query(page=page + 1)), rel="next")]
    return response


def fingerprint(request: Request) -> tuple[str, int, bool]:
    agent: UserAgent = request.user_agent
    address: Address | None = request.client
    return agent.browser or "unknown", (address.port or 0) if address else 0, request.is_secure


def cookies_of(header: str) -> dict[str, str]:
    return dict(parse_cookies(header)) | {SetCookie("theme", "dark", path="/").name: "dark"}


def is_fresh(request: Request, tag: str, changed: datetime) -> bool:
    since = request.if_modified_since
    if request.if_none_match:
        return ETag(tag) in request.if_none_match
    return since is not None and changed - since < timedelta(seconds=1)


def pages_of(header: str) -> dict[str, str]:
    links = parse_links(header)
    assert parse_links(format_links(links)) == links
    return {link.rel or "": link.target for link in links}


def token_for(mail: str) -> str:
    signer = Signer(["a key of 16 bytes"], salt="newsletter")
    signed = signer.sign(mail)
    assert signer.unsign(signed, max_age=60) == mail
    return signed


def first_values(fields: MultiDict[str], names: Iterable[str]) -> Mapping[str, int]:
    return {name: fields.get(name, 0, type=int) for name in names}


def call(handler: Callable[[Request], Response], path: str) -> str:
    request = Request.blank(path, headers={"accept": "text/plain"})
    return get_response(to_app(handler), request).text


def answer(data: bytes) -> bytes:
    request = parse_request(data)
    try:
        url = URL(request.args["url"])
    except (HTTPError, ValueError) as error:
        return format_response(Response(str(error), 400))
    media = MediaType.parse("text/plain; charset=utf-8")
    headers = Headers({"x-host": url.host, "x-type": media.subtype if media else ""})
    return format_response(Response(url.path, headers=headers))


def use() -> None:
    """Call all of them."""
    request = Request.blank("https://shop.example/list?page=1", headers={"accept": "text/html", "user-agent": "curl/8"})
    assert next_page(request, 1).links[0].target == "https://shop.example/list?page=2"
    assert fingerprint(request) == ("curl", 0, True)
    assert cookies_of("a=1; b=2") == {"a": "1", "b": "2", "theme": "dark"}
    assert not is_fresh(request, "v1", datetime.now(UTC))
    assert pages_of('</2>; rel="next"') == {"next": "/2"}
    assert token_for("ada@example.com")
    assert first_values(request.args, ["page", "size"]) == {"page": 1, "size": 0}
    assert call(lambda request: Response.text(request.path), "/here") == "/here"
    assert b"x-host: example.com" in answer(b"GET /?url=http://example.com/a HTTP/1.1\r\nHost: a\r\n\r\n").lower()
    assert Accept.parse("text/html").best(["text/html"]) == "text/html"
    assert Limits(body=10).body == 10
    assert Address("10.0.0.1", 1) in TrustedProxies(["10.0.0.0/8"])


PROGRAMS = [next_page, fingerprint, cookies_of, is_fresh, pages_of, token_for, first_values, call, answer]
