"""How an object of each public class of a library is made, in expressions that mean the same to its dialect."""

import inspect
from collections.abc import Callable, Iterator
from datetime import datetime
from io import BytesIO
from typing import Any


def environ() -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "POST", "SCRIPT_NAME": "", "PATH_INFO": "/a/b", "QUERY_STRING": "a=1&b=2",
        "SERVER_NAME": "localhost", "SERVER_PORT": "80", "HTTP_HOST": "localhost", "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1", "CONTENT_TYPE": "application/x-www-form-urlencoded", "CONTENT_LENGTH": "3",
        "HTTP_COOKIE": "c=1", "HTTP_ACCEPT": "text/html", "HTTP_REFERER": "http://localhost/",
        "HTTP_AUTHORIZATION": "Basic YTpi", "HTTP_USER_AGENT": "test",
        "wsgi.input": BytesIO(b"f=1"), "wsgi.errors": BytesIO(), "wsgi.url_scheme": "http", "wsgi.version": (1, 0),
        "wsgi.multithread": False, "wsgi.multiprocess": False, "wsgi.run_once": False,
    }  # fmt: skip


def function(*_args: Any, **_kwargs: Any) -> str:
    return "function"


PRELUDES = {
    "flask": "import flask, werkzeug\napp = flask.Flask('observed')\n",
    "werkzeug": "import werkzeug, werkzeug.routing\nfrom werkzeug.routing import Map, Rule\n"
    "app = lambda environ, start: [b'']\nmap = Map([Rule('/a', endpoint='a')])\n",
    "webob": "import webob\napp = webob.Response('a')\n",
    "pyramid": "import pyramid.config, pyramid.testing\nconfig = pyramid.testing.setUp()\n"
    "registry = config.registry\nrequest = pyramid.testing.DummyRequest()\napp = None\n",
    "microdot": "import microdot\napp = microdot.Microdot()\n",
    "asok": "import os; os.environ['SECRET_KEY'] = 'a' * 32\nimport asok\napp = asok.Asok()\n",
}
ARGUMENTS = {
    "environ": "environ()", "app": "app", "import_name": "'observed'", "map": "map", "request": "request",
    "registry": "registry", "func": "function", "function": "function", "f": "function", "view": "function",
    "callback": "function", "headers": "{}", "data": "b'a'", "method": "'GET'", "stream": "BytesIO(b'a')",
    "port": "80", "status_code": "404", "code": "404", "config": "config", "application": "app", "url": "'/a'",
    "info": "None", "root": "None", "args": "()", "kw": "{}", "kwargs": "{}", "router": "app",
}  # fmt: skip
SPECIAL = {
    "werkzeug.routing.rules.Rule": "'/a/<b>', endpoint='a'",
    "werkzeug.datastructures.auth.Authorization": "'basic', {'username': 'a', 'password': 'b'}",
    "werkzeug.datastructures.auth.WWWAuthenticate": "'basic', {'realm': 'a'}",
    "werkzeug.datastructures.range.Range": "'bytes', [(0, 10)]",
    "werkzeug.datastructures.range.ContentRange": "'bytes', 0, 10, 20",
    "werkzeug.datastructures.file_storage.FileStorage": "BytesIO(b'a'), 'a.txt'",
    "werkzeug.sansio.request.Request": "'GET', 'http', ('localhost', 80), '', '/a/b', b'a=1', "
    "werkzeug.datastructures.Headers({'Host': 'localhost'}), '127.0.0.1'",
    "webob.multidict.GetDict": "[('a', '1')], environ()",
    "werkzeug.wrappers.response.ResponseStream": "werkzeug.Response()",
    "webob.etag.IfRangeDate": "datetime(2026, 1, 1)",
    "flask.wrappers.Request": "environ()",
    "webob.request.Request": "environ()",
    "pyramid.request.Request": "environ()",
}


def arguments_of(library: str, path: str, cls: type) -> Iterator[str]:
    """Arguments to try, the best first."""
    if path in SPECIAL:
        yield SPECIAL[path]
    try:
        parameters = [*inspect.signature(cls).parameters.values()]
    except (TypeError, ValueError):
        parameters = []
    required = [each for each in parameters if each.default is each.empty and "VAR" not in each.kind.name]
    for rest in ("'a'", "None", "1", "function", "{}", "b'a'", "[]"):
        yield ", ".join(
            f"{each.name}=" * (each.kind is each.KEYWORD_ONLY) + ARGUMENTS.get(each.name, rest) for each in required
        )
    yield from ("", "'a'", "environ()", "{}", "app", "'a', 'b'", "function")


def namespace(library: str) -> Callable[[], dict[str, Any]]:
    """What the expressions can name: objects that are made once, and functions."""
    names = {"environ": environ, "function": function, "BytesIO": BytesIO, "datetime": datetime}
    exec(PRELUDES[library], names)
    return lambda: names
