"""Werkzeug: its Request, Response and routing map, without Flask; WSGI."""

import json
from collections.abc import Callable, Iterable
from types import SimpleNamespace
from wsgiref.types import StartResponse, WSGIEnvironment

import msgspec
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

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
    invoice,
    listing,
    portrait,
    receipt,
    upload,
    within,
)


def hello(_request: Request) -> Response:
    return Response("Hello, world!")


def read(request: Request, name: str) -> Response:
    args = request.args
    response = Response(
        listing(
            name,
            args["page"],
            args.get("size", 0, type=int),
            args["sort"],
            request.cookies["session"],
            request.accept_languages.best_match(LANGUAGES),
        )
    )
    response.vary.add("Accept-Language")
    return response


def made(_request: Request) -> Response:
    return Response(MADE, 201, {"Cache-Control": NO_STORE})


class MsgspecRequest(Request):
    """Another codec, as Werkzeug takes it."""

    json_module = SimpleNamespace(loads=msgspec.json.Decoder().decode)


encode = msgspec.json.Encoder().encode


def order_msgspec(request: Request) -> Response:
    return Response(encode(invoice(request.get_json())), mimetype="application/json")


def order(request: Request) -> Response:
    return Response(json.dumps(invoice(request.get_json())), mimetype="application/json")


def form(request: Request) -> Response:
    values = request.form
    return Response(receipt([values[name] for name in FIELDS]))


def multipart(request: Request) -> Response:
    file = request.files["file"]
    return Response(upload(request.form["title"], file.filename, file.read()))


def headers(request: Request) -> Response:
    response = Response(
        portrait(
            request.accept_mimetypes.best_match(TYPES),
            request.accept_languages.best_match(LANGUAGES),
            request.accept_encodings.best_match(CODINGS),
            request.authorization.username if request.authorization else None,
            request.user_agent.string,
            request.referrer,
            request.if_none_match.contains_weak(TAG),
            request.if_modified_since,
            request.cache_control.max_age,
            request.mimetype_params.get("charset"),
        )
    )
    response.vary.update(NEGOTIATED)
    return response


def built(_request: Request) -> Response:
    response = Response("Built.")
    response.cache_control.public = True
    response.cache_control.max_age = HOUR
    response.content_language.add("de")
    response.set_etag(TAG)
    response.last_modified = MODIFIED
    response.vary.add("Accept-Language")
    response.headers["X-Frame-Options"] = "DENY"
    response.set_cookie("session", SESSION, max_age=HOUR, secure=True, httponly=True, samesite="Lax")
    response.set_cookie("theme", "dark", max_age=YEAR, samesite="Lax")
    return response


def conditional(request: Request) -> Response:
    response = Response("Hello, world!")
    response.set_etag(TAG)
    return response.make_conditional(request)


def pixels(request: Request) -> Response:
    response = Response(PIXELS, mimetype="application/octet-stream")
    response.set_etag(TAG)
    response.last_modified = MODIFIED
    return response.make_conditional(request, accept_ranges=True, complete_length=len(PIXELS))


VIEWS: dict[str, Callable[..., Response]] = {
    view.__name__: view
    for view in (hello, made, read, order, order_msgspec, form, multipart, headers, built, conditional, pixels)
}

URL_MAP = Map(
    [
        Rule("/hello", endpoint="hello", methods=["GET"]),
        Rule("/tuple", endpoint="made", methods=["GET"]),
        Rule("/read/<name>", endpoint="read", methods=["GET"]),
        Rule("/json", endpoint="order", methods=["POST"]),
        Rule("/json-msgspec", endpoint="order_msgspec", methods=["POST"]),
        Rule("/form", endpoint="form", methods=["POST"]),
        Rule("/multipart", endpoint="multipart", methods=["POST"]),
        Rule("/headers", endpoint="headers", methods=["GET"]),
        Rule("/built", endpoint="built", methods=["GET"]),
        Rule("/conditional", endpoint="conditional", methods=["GET"]),
        Rule("/pixels", endpoint="pixels", methods=["GET"]),
    ]
)


def dispatch(request: Request) -> Response | HTTPException:
    try:
        endpoint, values = URL_MAP.bind_to_environ(request.environ).match()
        return VIEWS[endpoint](request, **values)
    except HTTPException as error:
        return error


def wsgi(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    return dispatch(Request(environ))(environ, start_response)


def wsgi_json_msgspec(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    return dispatch(MsgspecRequest(environ))(environ, start_response)


wsgi_middlewares = within(PassingWsgi, wsgi)
