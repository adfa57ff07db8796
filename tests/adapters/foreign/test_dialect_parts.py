"""The parts that a dialect is made of: values of the current request, a client in the process, and absent names."""

import gc
import sys
from types import ModuleType

import pytest

from antiphon import Request, Response, current_request
from antiphon.embedding import EnvironHost, Host, ReceivedInput, RequestLocal, absent
from antiphon.http.errors import URITooLong
from antiphon.testing import Client
from tests.helpers.rows import rows

pytestmark = pytest.mark.once


class Context(dict):
    """The values that a framework keeps for each request."""

    def __init__(self, request):
        super().__init__(path=request.path)
        self.method = request.method


ctx = RequestLocal(Context)


class Lute(Host):
    async def respond_to_request(self, request):
        ctx.played = ctx["tune"] = request.args["tune"]
        if "forget" in request.args:
            del ctx["tune"], ctx.played
        seen = [ctx.method, ctx["path"], getattr(ctx, "played", None), "tune" in ctx, len(ctx), sorted(ctx)]
        return Response.json([*seen, bool(ctx), ctx() is ctx(), str(ctx) == str(dict(ctx))])


def test_each_request_has_its_own_object():
    client = Client(Lute())
    assert client.get("/a?tune=x").json == ["GET", "/a", "x", True, 2, ["path", "tune"], True, True, True]
    assert client.post("/b?tune=y&forget").json == ["POST", "/b", None, False, 1, ["path"], True, True, True]


def test_without_a_request_there_is_none():
    with pytest.raises(RuntimeError, match="no request is being handled here"):
        _ = ctx.method
    assert repr(ctx) == "<RequestLocal 'Context'>"


class Shawm(EnvironHost):
    def __init__(self):
        super().__init__()
        self.ended, self.closed = [], []

    def respond_to_environ(self, environ, start_response):
        environ[ReceivedInput.AT_END].append(lambda: self.ended.append(environ["PATH_INFO"]))
        if environ["PATH_INFO"] == "/broken":
            raise LookupError("a reed")
        write = start_response("299 Well played", [("X-Reed", "cane"), ("X-Reed", "plastic")])
        write(b"written, ")
        return self._body(environ["wsgi.input"].read())

    def _body(self, sent):
        try:
            yield b"heard " + sent
            yield b" by " + current_request().path.encode()
        finally:
            self.closed.append(True)


def test_a_host_answers_in_the_process_as_its_application_says():
    shawm = Shawm()
    answered = shawm.exchange(Request.blank("http://localhost/hall", "POST", body=b"cane"))
    assert answered == (
        "299 Well played", [("X-Reed", "cane"), ("X-Reed", "plastic")], b"written, heard cane by /hall",
    )  # fmt: skip
    assert (shawm.ended, shawm.closed) == (["/hall"], [True])
    with pytest.raises(RuntimeError, match="no request"):
        current_request()


def test_errors_are_raised_and_leave_nothing():
    shawm = Shawm()
    with pytest.raises(LookupError, match="a reed"):
        shawm.exchange(Request.blank("http://localhost/broken"))
    with pytest.raises(URITooLong):
        shawm.exchange(Request.blank("http://localhost/hall?" + "x" * 99_999))
    assert shawm.ended == ["/broken"]
    gc.collect()
    assert not gc.garbage


@rows("name, error, text", [
    ("template", AttributeError, "lute does not offer template: use Jinja2"),
    ("nothing", AttributeError, "module 'lute' has no attribute 'nothing'"),
])  # fmt: skip
def test_a_name_that_a_module_lacks_says_what_to_use(name, error, text, monkeypatch):
    module = ModuleType("lute")
    module.__getattr__ = absent("lute", {"template": "Jinja2"})
    monkeypatch.setitem(sys.modules, "lute", module)
    assert not hasattr(module, name)
    with pytest.raises(error, match=text) as raised:
        getattr(module, name)
    assert raised.value.name == name
    with pytest.raises(ImportError, match=name):
        exec(f"from lute import {name}")
