"""The servers' side of the three interfaces, played as their specifications have it, with what an application did."""

import asyncio
import io

import pytest

from tests.helpers.waiting import DEADLINE, in_time


def environ(method="GET", path="/", body=None, **more):
    """The environ of a plain request; with a ``body``, its length is declared."""
    made = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "localhost",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body or b""),
        **({} if body is None else {"CONTENT_LENGTH": str(len(body))}),
        **more,
    }
    return {key: value for key, value in made.items() if value is not None}


def scope(method="GET", path="/", headers=((b"host", b"localhost"),), **more):
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": list(headers),
        "client": None,
        "server": ("localhost", 80),
        **more,
    }


class RSGIHeaders:
    """The header fields of an RSGI scope, with the methods that Granian's have."""

    def __init__(self, fields):
        self._fields = list(fields)

    def __contains__(self, name):
        return any(name == key for key, _ in self._fields)

    def get(self, name, default=None):
        return next((value for key, value in self._fields if key == name), default)

    def get_all(self, name):
        return [value for key, value in self._fields if key == name]

    def items(self):
        return list(self._fields)


class RSGIScope:
    """The scope of a plain request, as an RSGI server makes it."""

    def __init__(self, method="GET", path="/", headers=(("host", "localhost"),), **more):
        self.proto = "http"
        self.http_version = "1.1"
        self.server = "127.0.0.1:80"
        self.client = ""
        self.scheme = "http"
        self.method = method
        self.path = path
        self.query_string = ""
        self.authority = None
        self.headers = RSGIHeaders(headers)
        for name, value in more.items():
            assert hasattr(self, name)
            setattr(self, name, value)


class Answer:
    """What an application sent: ``chunks`` is its body as it came, ``ended`` says whether that was all."""

    def __init__(self):
        self.status = None
        self.headers = []
        self.chunks = []
        self.ended = False
        self.error = None

    @property
    def body(self):
        return b"".join(self.chunks)

    def header(self, name):
        return [value for key, value in self.headers if key == name]


def call_wsgi(app, given=None, most=None):
    """Call a WSGI application; at most so many chunks are taken, then the body is closed."""
    answer = Answer()

    def start_response(status, headers):
        answer.status, answer.headers = int(status.partition(" ")[0]), headers

    def call():
        body = app(given or environ(), start_response)
        try:
            for chunk in body:
                answer.chunks.append(chunk)
                if len(answer.chunks) == most:
                    return
            answer.ended = True
        except Exception as error:
            answer.error = error
        finally:
            if hasattr(body, "close"):
                body.close()

    in_time(call)
    return answer


class ASGIServer:
    """The two callables for one request: ``messages`` are received, then nothing until the client has left."""

    def __init__(self, messages=(), most=None):
        self.answer = Answer()
        self.received = 0
        self._messages = list(messages)
        self._most = most
        self._left = asyncio.Event()

    def leave(self):
        self._left.set()

    async def receive(self):
        self.received += 1
        if self._messages:
            await asyncio.sleep(0)
            return self._messages.pop(0)
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message):
        await asyncio.sleep(0)
        answer = self.answer
        assert not answer.ended, "a message after the last one"
        if message["type"] == "http.response.start":
            assert answer.status is None
            answer.status = message["status"]
            assert all(type(part) is bytes for field in message["headers"] for part in field)
            answer.headers = [(name.decode(), value.decode("latin-1")) for name, value in message["headers"]]
        else:
            assert type(message["body"]) is bytes
            answer.chunks.append(message["body"])
            answer.ended = not message.get("more_body", False)
            if len(answer.chunks) == self._most:
                self.leave()


def to_a_host(given):
    """The scope of a request, with a Host if it has none."""
    if given["type"] != "http" or any(name == b"host" for name, _ in given["headers"]):
        return given
    return given | {"headers": [(b"host", b"localhost"), *given["headers"]]}


async def play_asgi(app, given=None, messages=({"type": "http.request"},), most=None):
    """Call an ASGI application in the running loop; after so many chunks the client leaves."""
    server = ASGIServer(messages, most)
    try:
        await asyncio.wait_for(app(to_a_host(given or scope()), server.receive, server.send), DEADLINE)
    except Exception as error:
        server.answer.error = error
    server.answer.received = server.received
    return server.answer


def call_asgi(app, given=None, messages=({"type": "http.request"},), most=None):
    """Call an ASGI application; after so many chunks the client leaves."""
    return asyncio.run(play_asgi(app, given, messages, most))


class RSGIProtocolClosed(Exception):
    """What Granian raises for a chunk that nobody takes any more."""


class RSGIServer:
    """The protocol object for one request: ``chunks`` are its body; an error among them is raised."""

    def __init__(self, chunks=(), most=None):
        self.answer = Answer()
        self.received = 0
        self._chunks = list(chunks)
        self._most = most
        self._left = asyncio.Event()

    def __aiter__(self):
        return self

    async def __anext__(self):
        self.received += 1
        await asyncio.sleep(0)
        if not self._chunks:
            raise StopAsyncIteration
        chunk = self._chunks.pop(0)
        if isinstance(chunk, Exception):
            raise chunk
        return chunk

    def leave(self):
        self._left.set()

    async def client_disconnect(self):
        await self._left.wait()

    def _respond(self, status, headers, body=None):
        assert self.answer.status is None
        self.answer.status, self.answer.headers = status, headers
        assert all(type(part) is str for field in headers for part in field)
        if body is not None:
            self.answer.chunks.append(body)
            self.answer.ended = True

    def response_empty(self, status, headers):
        self._respond(status, headers, b"")

    def response_bytes(self, status, headers, body):
        assert type(body) is bytes
        self._respond(status, headers, body)

    def response_stream(self, status, headers):
        self._respond(status, headers)
        return self

    async def send_bytes(self, chunk):
        assert type(chunk) is bytes
        await asyncio.sleep(0)
        if self._left.is_set():
            raise RSGIProtocolClosed
        self.answer.chunks.append(chunk)
        if len(self.answer.chunks) == self._most:
            self._left.set()


async def play_rsgi(app, given=None, chunks=(), most=None):
    """Call an RSGI application in the running loop; after so many chunks the client leaves."""
    server = RSGIServer(chunks, most)
    given = given or RSGIScope()
    if given.authority is None and "host" not in given.headers:
        given.headers = RSGIHeaders([("host", "localhost"), *given.headers.items()])
    try:
        await asyncio.wait_for(app.__rsgi__(given, server), DEADLINE)
    except Exception as error:
        server.answer.error = error
    server.answer.received = server.received
    return server.answer


def call_rsgi(app, given=None, chunks=(), most=None):
    """Call an RSGI application; after so many chunks the client leaves."""
    return asyncio.run(play_rsgi(app, given, chunks, most))


class Servers:
    """All of the above, for tests."""

    environ = staticmethod(environ)
    scope = staticmethod(scope)
    rsgi_scope = RSGIScope
    ASGIServer = ASGIServer
    RSGIServer = RSGIServer
    wsgi = staticmethod(call_wsgi)
    asgi = staticmethod(call_asgi)
    rsgi = staticmethod(call_rsgi)
    play_asgi = staticmethod(play_asgi)
    play_rsgi = staticmethod(play_rsgi)
    in_time = staticmethod(in_time)


@pytest.fixture
def servers():
    return Servers


@pytest.fixture
def call(interface):
    """Has an application answer a request: its method and path, its header fields, and the chunks of its body.

    The client leaves after it got ``most`` chunks of the response.
    """

    def call_wsgi_with(app, method, path, headers, chunks, most):
        variables = {"HTTP_" + name.upper().replace("-", "_"): value for name, value in headers}
        for name in ("CONTENT_LENGTH", "CONTENT_TYPE"):
            if (value := variables.pop("HTTP_" + name, None)) is not None:
                variables[name] = value
        variables["wsgi.input"] = io.BytesIO(b"".join(chunks))
        variables["wsgi.input_terminated"] = True
        return call_wsgi(app, environ(method, path, **variables), most)

    def call_asgi_with(app, method, path, headers, chunks, most):
        given = scope(method, path, [(name.encode(), value.encode("latin-1")) for name, value in headers])
        messages = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
        return call_asgi(app, given, [*messages, {"type": "http.request"}], most)

    def call_rsgi_with(app, method, path, headers, chunks, most):
        return call_rsgi(app, RSGIScope(method, path, headers), chunks, most)

    calls = {"wsgi": call_wsgi_with, "asgi": call_asgi_with, "rsgi": call_rsgi_with}

    def call(app, method="GET", path="/", headers=(), chunks=(), most=None):
        fields = list(headers)
        if chunks and not any(name in ("content-length", "transfer-encoding") for name, _ in fields):
            fields.append(("content-length", str(len(b"".join(chunks)))))
        return calls[interface](app, method, path, fields, chunks, most)

    return call
