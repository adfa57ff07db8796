"""A gateway with a cache, for http-tests/cache-tests: it hands requests on to the suite's server, at the port ORIGIN.

Gunicorn serves it, over both interfaces: it alone sends interim responses over HTTP/1.1. Over WSGI it replaces the Date
of an application by its own, which is changed here.
"""

import os
from contextvars import ContextVar
from http.client import HTTPConnection, HTTPException, HTTPResponse, parse_headers

from antiphon import App, Request, Response
from antiphon.features import Cache
from antiphon.http import BadGateway

HOP_BY_HOP = {
    "connection", "content-length", "keep-alive", "proxy-authenticate", "proxy-authentication-info",
    "proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
}  # fmt: skip
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "M-SEARCH", "FOO", "QUERY", "PROPFIND")

app = App(cross_site_writes=True)
app.use(Cache(gateway=True))
send_interim = ContextVar("send_interim")


def end_to_end(fields):
    """Return the fields that a gateway passes on (RFC 9110 §7.6.1)."""
    fields = [(name.lower(), value) for name, value in fields]
    named = {word.strip().lower() for name, value in fields if name == "connection" for word in value.split(",")}
    return [(name, value) for name, value in fields if name not in HOP_BY_HOP | named]


class Answer(HTTPResponse):
    """An answer of the server behind, which hands on the interim ones before it."""

    def _read_status(self):
        while (status := super()._read_status())[1] in (102, 103):
            send_interim.get()(status[1], end_to_end(parse_headers(self.fp).items()))
        return status


def ask(request: Request):
    connection = HTTPConnection("127.0.0.1", int(os.environ["ORIGIN"]), timeout=20)
    connection.response_class = Answer
    connection.putrequest(request.method, request.url.target, skip_host=True, skip_accept_encoding=True)
    for name, value in end_to_end(request.headers.items()):
        connection.putheader(name, value.encode("latin-1"))
    if request.body:
        connection.putheader("content-length", str(len(request.body)))
    connection.endheaders(request.body or None)
    try:
        answer = connection.getresponse()
        return answer.status, end_to_end(answer.headers.items()), answer.read()
    finally:
        connection.close()


@app.route("/", METHODS)
@app.route("/<path:rest>", METHODS)
def hand_on(request: Request):
    try:
        status, fields, body = ask(request)
    except (OSError, HTTPException):
        raise BadGateway("The server behind does not answer.") from None
    response = Response(body)
    response.headers.discard(["content-type"])
    if 200 <= status <= 599:
        response.status = status
    response.headers.extend(fields)
    return response


def over_wsgi(environ, start_response):
    send_interim.set(lambda status, fields: environ["wsgi.early_hints"](fields) if status == 103 else None)
    return app(environ, start_response)


async def over_asgi(scope, receive, send):
    from asyncio import get_running_loop, run_coroutine_threadsafe

    loop = get_running_loop()

    def send_on_loop(status, fields):
        fields = [(name.encode(), value.encode("latin-1")) for name, value in fields]
        message = {"type": "http.response.informational", "status": status, "headers": fields}
        run_coroutine_threadsafe(send(message), loop).result()

    send_interim.set(send_on_loop)
    await app(scope, receive, send)


def post_worker_init(_worker):
    """Have Gunicorn's WSGI workers send the Date of an application, if it has any; this module configures it, too."""
    from gunicorn.http.wsgi import Response as Sent
    from gunicorn.util import hop_headers

    hop_headers.discard("date")
    write = Sent.default_headers

    def default_headers(self):
        has_date = any(name.lower() == "date" for name, _ in self.headers)
        return [line for line in write(self) if not (has_date and line.startswith("Date:"))]

    Sent.default_headers = default_headers
