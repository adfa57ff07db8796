"""Werkzeug: its Request, Response and routing map, without Flask; WSGI."""

import json
from collections.abc import Callable, Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from .work import FIELDS, LANGUAGES, invoice, listing, receipt


def hello(_request: Request) -> Response:
    return Response("Hello, world!")


def read(request: Request, name: str) -> Response:
    args = request.args
    return Response(
        listing(
            name,
            args["page"],
            args.get("size", 0, type=int),
            args["sort"],
            request.cookies["session"],
            request.accept_languages.best_match(LANGUAGES),
        )
    )


def order(request: Request) -> Response:
    return Response(json.dumps(invoice(request.get_json())), mimetype="application/json")


def form(request: Request) -> Response:
    values = request.form
    return Response(receipt([values[name] for name in FIELDS]))


VIEWS: dict[str, Callable[..., Response]] = {"hello": hello, "read": read, "order": order, "form": form}

URL_MAP = Map(
    [
        Rule("/hello", endpoint="hello", methods=["GET"]),
        Rule("/read/<name>", endpoint="read", methods=["GET"]),
        Rule("/json", endpoint="order", methods=["POST"]),
        Rule("/form", endpoint="form", methods=["POST"]),
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
