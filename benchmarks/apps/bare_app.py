"""No framework: the least that the same answers need, with the standard library, and msgspec where all use it."""

import json
from asyncio import to_thread
from collections.abc import Awaitable, Callable, Iterable
from typing import Any
from urllib.parse import parse_qsl
from wsgiref.types import StartResponse, WSGIEnvironment

import msgspec

from .work import (
    FIELDS,
    LANGUAGES,
    MADE,
    NO_STORE,
    USER,
    PassingAsgi,
    PassingWsgi,
    best_offer,
    invoice,
    listing,
    receipt,
    upload,
    within,
)

TEXT = "text/plain; charset=utf-8"
JSON = "application/json"
encode, decode = msgspec.json.Encoder().encode, msgspec.json.Decoder().decode


def read(name: str, query: str, cookie: str, languages: str) -> bytes:
    args = dict(parse_qsl(query))
    cookies = dict(pair.split("=", 1) for pair in cookie.split("; "))
    language = best_offer(languages, LANGUAGES)
    return listing(name, args["page"], int(args["size"]), args["sort"], cookies["session"], language).encode()


def order(body: bytes, _content_type: str) -> bytes:
    return json.dumps(invoice(json.loads(body))).encode()


def form(body: bytes, _content_type: str) -> bytes:
    values = dict(parse_qsl(body.decode(), keep_blank_values=True))
    return receipt([values[name] for name in FIELDS]).encode()


def multipart(body: bytes, content_type: str) -> bytes:
    delimiter = b"\r\n--" + content_type.partition("boundary=")[2].encode()
    _, title, file, _ = (b"\r\n" + body).split(delimiter)
    head, _, content = file.partition(b"\r\n\r\n")
    filename = head.partition(b'filename="')[2].partition(b'"')[0]
    return upload(title.partition(b"\r\n\r\n")[2].decode(), filename.decode(), content).encode()


def order_msgspec(body: bytes, _content_type: str) -> bytes:
    return encode(invoice(decode(body)))


POSTS = {
    "/json": (JSON, order),
    "/json-msgspec": (JSON, order_msgspec),
    "/form": (TEXT, form),
    "/multipart": (TEXT, multipart),
}


def wsgi(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    status, media_type, more = "200 OK", TEXT, []
    match environ["REQUEST_METHOD"], environ["PATH_INFO"]:
        case "GET", "/hello":
            body = b"Hello, world!"
        case "GET", path if path.startswith("/read/"):
            name = path[6:].encode("latin-1").decode()
            cookie, languages = environ["HTTP_COOKIE"], environ["HTTP_ACCEPT_LANGUAGE"]
            body = read(name, environ["QUERY_STRING"], cookie, languages)
            more = [("Vary", "Accept-Language")]
        case "GET", "/hooks":
            body = f"Hello, {USER}!".encode()
            more = [("X-Frame-Options", "DENY")]
        case "GET", "/tuple":
            status, body = "201 Created", MADE.encode()
            more = [("Cache-Control", NO_STORE)]
        case "POST", path if work := POSTS.get(path):
            media_type, answer = work
            body = answer(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])), environ["CONTENT_TYPE"])
        case _:
            status, body = "404 Not Found", b"Not Found"
    start_response(status, [("Content-Type", media_type), ("Content-Length", str(len(body))), *more])
    return [body]


async def received(receive: Callable[[], Awaitable[dict[str, Any]]]) -> bytes:
    chunks = []
    more = True
    while more:
        message = await receive()
        chunks.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(chunks)


async def asgi(
    scope: dict[str, Any],
    receive: Callable[[], Awaitable[dict[str, Any]]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    if scope["type"] != "http":
        raise NotImplementedError(scope["type"])
    status, media_type, more = 200, TEXT, []
    match scope["method"], scope["path"]:
        case "GET", "/hello":
            body = b"Hello, world!"
        case "GET", path if path.startswith("/read/"):
            headers = dict(scope["headers"])
            cookie, languages = (headers[b"cookie"].decode("latin-1"), headers[b"accept-language"].decode("latin-1"))
            body = read(path[6:], scope["query_string"].decode("latin-1"), cookie, languages)
            more = [(b"vary", b"accept-language")]
        case "GET", "/hooks":
            body = f"Hello, {USER}!".encode()
            more = [(b"x-frame-options", b"DENY")]
        case "GET", "/tuple":
            status, body = 201, MADE.encode()
            more = [(b"cache-control", NO_STORE.encode())]
        case "POST", path if work := POSTS.get(path):
            media_type, answer = work
            content_type = dict(scope["headers"])[b"content-type"].decode("latin-1")
            body = answer(await received(receive), content_type)
        case _:
            status, body = 404, b"Not Found"
    headers_sent = [(b"content-type", media_type.encode()), (b"content-length", str(len(body)).encode()), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers_sent})
    await send({"type": "http.response.body", "body": body})


wsgi_middlewares = within(PassingWsgi, wsgi)
asgi_middlewares = within(PassingAsgi, asgi)


async def rsgi(scope: Any, protocol: Any) -> None:
    status, media_type, more = 200, TEXT, []
    match scope.method, scope.path:
        case "GET", "/hello":
            body = b"Hello, world!"
        case "GET", path if path.startswith("/read/"):
            headers = scope.headers
            body = read(path[6:], scope.query_string, headers["cookie"], headers["accept-language"])
            more = [("vary", "accept-language")]
        case "POST", path if work := POSTS.get(path):
            media_type, answer = work
            body = answer(await protocol(), scope.headers["content-type"])
        case _:
            status, body = 404, b"Not Found"
    headers_sent = [("content-type", media_type), ("content-length", str(len(body))), *more]
    protocol.response_bytes(status, headers_sent, body)


async def asgi_def(
    scope: dict[str, Any],
    _receive: Callable[[], Awaitable[dict[str, Any]]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    """Answer what has no body, each on a thread."""
    if scope["type"] != "http":
        raise NotImplementedError(scope["type"])
    vary = []
    if scope["path"] == "/hello":
        body = await to_thread(bytes, b"Hello, world!")
    else:
        headers = dict(scope["headers"])
        cookie, languages = headers[b"cookie"].decode("latin-1"), headers[b"accept-language"].decode("latin-1")
        body = await to_thread(read, scope["path"][6:], scope["query_string"].decode("latin-1"), cookie, languages)
        vary = [(b"vary", b"accept-language")]
    headers_sent = [(b"content-type", TEXT.encode()), (b"content-length", str(len(body)).encode()), *vary]
    await send({"type": "http.response.start", "status": 200, "headers": headers_sent})
    await send({"type": "http.response.body", "body": body})
