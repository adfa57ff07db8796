"""The application: its styles, and what of the core holds for it."""

import asyncio

import pytest

from antiphon import current_request
from antiphon.dialects.microdot import Microdot

pytestmark = pytest.mark.axes("interface")


def test_writes_of_other_sites_are_the_application_s_to_refuse(app, serve):
    app.post("/")(lambda request: "written")
    headers = {"origin": "https://elsewhere.example", "sec-fetch-site": "cross-site"}
    assert serve(app).post("/", headers=headers).text == "written"


def test_a_header_section_that_the_server_does_not_bound_is_refused(app):
    from antiphon.adapters.asgi import UNBOUNDED

    app.get("/")(lambda request: "")
    sent = []

    class Exchange:
        async def receive(self):
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(self, message):
            sent.append(message)

    Exchange.__module__ = UNBOUNDED
    headers = [(b"host", b"example.com"), (b"x-large", bytes(100_000))]
    scope = {"type": "http", "method": "GET", "path": "/", "http_version": "1.1", "headers": headers}
    asyncio.run(app(scope, Exchange().receive, Exchange().send))
    assert sent[0]["status"] == 431


def test_the_application_outside_sees_what_failed(app, serve):
    from antiphon import App

    app.get("/")(lambda request: 1 / 0)
    outer, seen = App(), []

    @outer.middleware
    def watch(request):
        response = yield
        seen.append(type(response.error))

    outer.mount("/old", app)
    assert serve(outer).get("/old/").status == 500
    assert seen == [ZeroDivisionError]


def test_a_hook_may_take_itself_out(app, serve):
    @app.before_request
    async def once(request):
        app.before_request_handlers.remove(once)

    @app.before_request
    async def refuse(request):
        return "refused", 401

    app.get("/")(lambda request: "let in")
    client = serve(app)
    assert [client.get("/").status for _ in range(2)] == [401, 401]


class Own(Microdot):
    async def dispatch_request(self, req):
        await asyncio.sleep(0)
        response = await super().dispatch_request(req)
        response.headers["X-Dispatched"] = f"{req.path} {current_request() is req.native}"
        return response

    async def error_response(self, req, status_code, reason=None):
        text, status = await super().error_response(req, status_code, reason)
        return {"error": text, "status": status}, status


def with_routes(app):
    @app.post("/async")
    async def handler(request):
        return request.body

    @app.post("/plain")
    def plain(request):
        with pytest.raises(RuntimeError):
            asyncio.get_running_loop()
        return request.body

    @app.post("/fail")
    async def fail(request):
        raise ValueError

    return app


@pytest.mark.parametrize(
    ("path", "body", "status", "reason"),
    [
        ("/none", b"", 404, "Not found"),
        ("/fail", b"", 500, "Internal server error"),
        ("/async", bytes(17 * 1024), 413, "Payload too large"),
    ],
)
def test_an_application_may_answer_errors_in_its_own_way(serve, path, body, status, reason):
    response = serve(with_routes(Own())).post(path, body=body)
    assert (response.status, response.json) == (status, {"error": reason, "status": status})
    assert response.headers["x-dispatched"] == f"{path} True"


def test_methods_may_be_assigned(app, serve):
    original = with_routes(app).dispatch_request

    async def traced(req):
        response = await original(req)
        response.headers["X-Traced"] = req.path
        return response

    client = serve(app)
    assert "x-traced" not in client.post("/plain").headers
    app.dispatch_request = traced
    app.error_response = lambda req, status_code, reason=None: (reason.upper(), status_code)
    for path, text in (("/plain", "sent"), ("/none", "NOT FOUND")):
        response = client.post(path, body=b"sent")
        assert (response.text, response.headers["x-traced"]) == (text, path)
    del app.dispatch_request, app.error_response
    assert client.post("/none").text == "Not found"
    assert "x-traced" not in client.post("/plain").headers


@pytest.mark.parametrize("name", ["dispatch_request", "error_response"])
def test_an_error_in_a_method_of_one_s_own_is_a_500(app, serve, caplog, name):
    async def fail(*arguments):
        raise LookupError(name)

    setattr(with_routes(app), name, fail)
    assert serve(app).post("/none").status == 500
    assert f"LookupError: {name}" in caplog.text
