"""WebOb: its Request and Response, and a table in place of the routing that it has not; WSGI."""

from collections.abc import Callable, Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

import msgspec
from webob import Request, Response
from webob.exc import HTTPNotFound

from .work import (
    CODINGS,
    FIELDS,
    HOUR,
    LANGUAGES,
    MADE,
    MODIFIED,
    NEGOTIATED,
    NO_STORE,
    PIXELS,
    SESSION,
    TAG,
    TYPES,
    YEAR,
    PassingWsgi,
    basic_username,
    invoice,
    listing,
    portrait,
    receipt,
    upload,
    within,
)

encode, decode = msgspec.json.Encoder().encode, msgspec.json.Decoder().decode


def text(body: str) -> Response:
    return Response(text=body, content_type="text/plain", charset="utf-8")


def hello(_request: Request, _name: str) -> Response:
    return text("Hello, world!")


def read(request: Request, name: str) -> Response:
    args = request.GET
    language = request.accept_language.lookup(LANGUAGES, default="en")
    response = text(listing(name, args["page"], int(args["size"]), args["sort"], request.cookies["session"], language))
    response.vary = ("Accept-Language",)
    return response


def made(_request: Request, _name: str) -> Response:
    return Response(text=MADE, status=201, content_type="text/plain", charset="utf-8", cache_control=NO_STORE)


def order_msgspec(request: Request, _name: str) -> Response:
    return Response(encode(invoice(decode(request.body))), content_type="application/json")


def order(request: Request, _name: str) -> Response:
    return Response(json_body=invoice(request.json_body), content_type="application/json")


def form(request: Request, _name: str) -> Response:
    values = request.POST
    return text(receipt([values[name] for name in FIELDS]))


def multipart(request: Request, _name: str) -> Response:
    values = request.POST
    file = values["file"]
    return text(upload(values["title"], file.filename, file.file.read()))


def headers(request: Request, _name: str) -> Response:
    authorization = request.authorization
    response = text(
        portrait(
            request.accept.acceptable_offers(TYPES)[0][0],
            request.accept_language.lookup(LANGUAGES, default="en"),
            request.accept_encoding.acceptable_offers(CODINGS)[0][0],
            basic_username(authorization.params) if authorization else None,
            request.user_agent,
            request.referer,
            TAG in request.if_none_match,
            request.if_modified_since,
            request.cache_control.max_age,
            request.charset.lower(),
        )
    )
    response.vary = NEGOTIATED
    return response


def built(_request: Request, _name: str) -> Response:
    response = text("Built.")
    response.cache_control.public = True
    response.cache_control.max_age = HOUR
    response.content_language = ("de",)
    response.etag = TAG
    response.last_modified = MODIFIED
    response.vary = ("Accept-Language",)
    response.headers["X-Frame-Options"] = "DENY"
    response.set_cookie("session", SESSION, max_age=HOUR, secure=True, httponly=True, samesite="Lax")
    response.set_cookie("theme", "dark", max_age=YEAR, samesite="Lax")
    return response


def conditional(_request: Request, _name: str) -> Response:
    response = text("Hello, world!")
    response.conditional_response = True
    response.etag = TAG
    return response


def pixels(_request: Request, _name: str) -> Response:
    response = Response(body=PIXELS, content_type="application/octet-stream", conditional_response=True)
    response.etag = TAG
    response.last_modified = MODIFIED
    return response


VIEWS: dict[tuple[str, str], Callable[[Request, str], Response]] = {
    ("GET", "hello"): hello,
    ("GET", "tuple"): made,
    ("GET", "read"): read,
    ("POST", "json-msgspec"): order_msgspec,
    ("POST", "json"): order,
    ("POST", "form"): form,
    ("POST", "multipart"): multipart,
    ("GET", "headers"): headers,
    ("GET", "built"): built,
    ("GET", "conditional"): conditional,
    ("GET", "pixels"): pixels,
}


def wsgi(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    request = Request(environ)
    first, _, name = request.path_info[1:].partition("/")
    view = VIEWS.get((request.method, first))
    response = view(request, name) if view else HTTPNotFound()
    return response(environ, start_response)


wsgi_middlewares = within(PassingWsgi, wsgi)
