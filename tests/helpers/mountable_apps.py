"""Applications of every kind that can be mounted. Each answers with what it reads of the request, as JSON."""

import json
from typing import NamedTuple
from urllib.parse import unquote

from antiphon import App, Response, to_app

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY", "PURGE"]


class Boom(Exception):
    """The failure of a mounted application."""


def report(method, root, path, query, body):
    if path == "/boom":
        raise Boom
    seen = {"method": method, "root": root, "path": path, "query": query, "body": len(body)}
    return json.dumps(seen)


def respond(request):
    query = request.query_string.decode()
    return Response.json(json.loads(report(request.method, request.root_path, request.path, query, request.body)))


def handler(request):
    return respond(request)


async def handler_async(request):
    return respond(request)


def app_of(root, below):
    app = App()
    app.route("/", METHODS)(root)
    app.route("/<path:below>", METHODS)(below)
    return app


def wsgi(environ, start_response):
    root, path = (environ[key].encode("latin-1").decode() for key in ("SCRIPT_NAME", "PATH_INFO"))
    content = report(environ["REQUEST_METHOD"], root, path, environ["QUERY_STRING"], environ["wsgi.input"].read())
    start_response("200 OK", [("content-type", "application/json")])
    return [content.encode()]


async def asgi(scope, receive, send):
    if scope["type"] != "http":
        raise NotImplementedError
    body, more = b"", True
    while more:
        message = await receive()
        body += message["body"]
        more = message.get("more_body", False)
    path = scope["path"].removeprefix(scope["root_path"])
    content = report(scope["method"], scope["root_path"], path, unquote(scope["query_string"].decode()), body)
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": content.encode()})


class Kind(NamedTuple):
    """A kind of application. A ``foreign`` one can tell if its prefix is followed by a slash."""

    make: object
    foreign: bool = False
    is_async: bool = False
    guards: bool = False
    """True if the application bounds and guards its requests by itself."""


KINDS = {
    "an app of def": Kind(lambda: app_of(handler, handler), guards=True),
    "an app of async def": Kind(lambda: app_of(handler_async, handler_async), is_async=True, guards=True),
    "an app of both": Kind(lambda: app_of(handler_async, handler), is_async=True, guards=True),
    "a WSGI function": Kind(lambda: wsgi, foreign=True),
    "an ASGI function": Kind(lambda: asgi, foreign=True, is_async=True),
    "a served def": Kind(lambda: to_app(handler)),
    "a served async def": Kind(lambda: to_app(handler_async), is_async=True),
}

OURS = {name: kind for name, kind in KINDS.items() if kind.guards}
OTHERS = {name: kind for name, kind in KINDS.items() if not kind.guards}
