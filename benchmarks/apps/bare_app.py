"""No framework: the least that the same answers need, with the standard library."""

import json
from collections.abc import Awaitable, Callable, Iterable
from typing import Any
from urllib.parse import parse_qsl
from wsgiref.types import StartResponse, WSGIEnvironment

from .work import FIELDS, LANGUAGES, best_offer, invoice, listing, receipt, upload

TEXT = "text/plain; charset=utf-8"
JSON = "application/json"


def read(name: str, query: str, cookie: str, languages: str) -> bytes:
    args = dict(parse_qsl(query))
    cookies = dict(pair.split("=", 1) for pair in cookie.split("; "))
    language = best_offer(languages, LANGUAGES)
    return listing(name, args["page"], int(args["size"]), args["sort"], cookies["session"], language).encode()


def order(body: bytes) -> bytes:
    return json.dumps(invoice(json.loads(body))).encode()


def form(body: bytes) -> bytes:
    values = dict(parse_qsl(body.decode(), keep_blank_values=True))
    return receipt([values[name] for name in FIELDS]).encode()


def multipart(content_type: str, body: bytes) -> bytes:
    delimiter = b"\r\n--" + content_type.partition("boundary=")[2].encode()
    _, title, file, _ = (b"\r\n" + body).split(delimiter)
    head, _, content = file.partition(b"\r\n\r\n")
    filename = head.partition(b'filename="')[2].partition(b'"')[0]
    return upload(title.partition(b"\r\n\r\n")[2].decode(), filename.decode(), content).encode()


def wsgi(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    status, media_type, vary = "200 OK", TEXT, []
    match environ["REQUEST_METHOD"], environ["PATH_INFO"]:
        case "GET", "/hello":
            body = b"Hello, world!"
        case "GET", path if path.startswith("/read/"):
            name = path[6:].encode("latin-1").decode()
            cookie, languages = environ["HTTP_COOKIE"], environ["HTTP_ACCEPT_LANGUAGE"]
            body = read(name, environ["QUERY_STRING"], cookie, languages)
            vary = [("Vary", "Accept-Language")]
        case "POST", "/json":
            media_type = JSON
            body = order(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        case "POST", "/form":
            body = form(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        case "POST", "/multipart":
            body = multipart(environ["CONTENT_TYPE"], environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        case _:
            status, body = "404 Not Found", b"Not Found"
    start_response(status, [("Content-Type", media_type), ("Content-Length", str(len(body))), *vary])
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
    status, media_type, vary = 200, TEXT, []
    match scope["method"], scope["path"]:
        case "GET", "/hello":
            body = b"Hello, world!"
        case "GET", path if path.startswith("/read/"):
            headers = dict(scope["headers"])
            cookie, languages = (
                headers[b"cookie"].decode("latin-1"),
                headers[b"accept-language"].decode("latin-1"),
            )
            body = read(path[6:], scope["query_string"].decode("latin-1"), cookie, languages)
            vary = [(b"vary", b"accept-language")]
        case "POST", "/json":
            media_type = JSON
            body = order(await received(receive))
        case "POST", "/form":
            body = form(await received(receive))
        case "POST", "/multipart":
            body = multipart(dict(scope["headers"])[b"content-type"].decode("latin-1"), await received(receive))
        case _:
            status, body = 404, b"Not Found"
    headers_sent = [(b"content-type", media_type.encode()), (b"content-length", str(len(body)).encode()), *vary]
    await send({"type": "http.response.start", "status": status, "headers": headers_sent})
    await send({"type": "http.response.body", "body": body})
