"""The body of a request to a mounted application, its limits, the environ that is made of it, and where it runs."""

import asyncio
import gzip
import json
from wsgiref.validate import validator

import pytest

from antiphon import App, Limits, Response, to_app
from antiphon.adapters.servable import Servable
from antiphon.handler.contract import ON_LOOP, ON_THREAD
from antiphon.request.proxies import TrustedProxies
from antiphon.testing import AsyncClient, Client
from tests.helpers.mountable_apps import KINDS, OTHERS, OURS
from tests.helpers.noop_hooks import around, around_async
from tests.helpers.rows import rows

pytestmark = [pytest.mark.once, pytest.mark.axes("interface", "kind", "layer", "other")]

LARGE = bytes(200_000)


@pytest.fixture(params=KINDS.values(), ids=KINDS)
def kind(request):
    return request.param


LAYERS = {
    "nothing": lambda app: None,
    "def": lambda app: app.middleware(around),
    "async def": lambda app: app.middleware(around_async),
    "what blocks": lambda app: app.middleware(blocking=True)(around),
    "both": lambda app: [app.middleware(each) for each in (around_async, around, around_async)],
    "hooks": lambda app: [app.before_request(lambda request: None), app.after_request(lambda request, response: None)],
    "def that reads the body": lambda app: app.middleware(loads_body=True)(around),
    "async def before routing": lambda app: app.middleware(before_routing=True)(around_async),
    "def before routing": lambda app: app.middleware(before_routing=True)(around),
}


@pytest.fixture(params=LAYERS.values(), ids=LAYERS)
def layer(request):
    return request.param


class TestTheBody:
    @rows(
        "body",
        [b"", b"small", LARGE, [b"a" * 10] * 3, [bytes(60_000)] * 3],
        ids=["no", "small", "large", "few", "many"],
    )
    def test_is_whole_inside_whatever_is_around(self, serving, kind, layer, body):
        app = App()
        layer(app)
        app.mount("/old", kind.make())
        size = len(body) if isinstance(body, bytes) else sum(map(len, body))
        client = serving(app)
        assert [client.post("/old/x", body=body).json["body"] for _ in range(2)] == [size, size]

    @rows("coding", [None, "gzip"])
    def test_that_was_received_has_its_length_for_an_asgi_application(self, coding):
        app = App()
        app.mount("/old", says_headers)
        body, headers = (b"a" * 30, {}) if coding is None else (gzip.compress(b"a" * 30), {"content-encoding": coding})
        said = Client(app, "asgi").post("/old/x", headers=headers, body=iter([body[:9], body[9:]])).json
        assert said["content-length"] == "30"
        assert said.keys().isdisjoint({"transfer-encoding", "content-encoding"})


async def says_headers(scope, receive, send):
    said = {name.decode(): value.decode() for name, value in scope["headers"]}
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body", "body": json.dumps(said).encode()})


def args(request):
    return Response(str(len(request.args)))


async def args_waiting(request):
    return Response(str(len(request.args)))


class TestLimits:
    @rows("name", OURS)
    @rows("outside, inside", [(10, 100), (100, 10), (100, 100_000), (100_000, 100)])
    def test_of_a_mounted_app_are_its_own(self, serving, name, outside, inside):
        app, inner = App(limits=Limits(body=outside)), OURS[name].make()
        inner.limits = Limits(body=inside)
        app.mount("/old", inner)
        client = serving(app)
        assert [client.post("/old/x", body=bytes(size)).status for size in (inside, inside + 1)] == [200, 413]
        assert client.post("/old/x", body=[bytes(inside), b"a"]).status == 413

    @rows("name", OTHERS)
    @rows("limit", [10, 100_000])
    def test_around_other_applications_are_those_of_the_outer_app(self, serving, name, limit):
        app = App(limits=Limits(body=limit))
        app.mount("/old", OTHERS[name].make())
        client = serving(app)
        assert [client.post("/old/x", body=bytes(size)).status for size in (limit, limit + 1)] == [200, 413]
        assert client.post("/old/x", body=[bytes(limit), b"a"]).status == 413

    @rows("name", OURS)
    @rows("outside, inside", [(10, 100), (100, 10), (100_000, 200_000), (200_000, 100_000)])
    def test_of_both_hold_where_the_middleware_outside_reads_the_body(self, serving, name, outside, inside):
        app, inner = App(limits=Limits(body=outside)), OURS[name].make()
        inner.limits = Limits(body=inside)
        app.middleware(loads_body=True)(around)
        app.mount("/old", inner)
        client, most = serving(app), min(outside, inside)
        assert [client.post("/old/x", body=bytes(size)).status for size in (most, most + 1)] == [200, 413]

    @pytest.mark.parametrize("function", [args, args_waiting])
    def test_of_the_outer_app_bound_what_a_served_function_parses(self, serving, function):
        app = App(limits=Limits(fields=2))
        app.mount("/old", to_app(function))
        client = serving(app)
        assert [client.get(f"/old?{query}").status for query in ("a=1&b=2", "a=1&b=2&c=3")] == [200, 414]


class TestTheEnviron:
    def environs(self, serving, app, prefix, path, **options):
        environs = []

        def wsgi(environ, start_response):
            environs.append(environ)
            environ["read"] = environ["wsgi.input"].read(-1)
            start_response("200 OK", [("content-type", "text/plain")])
            return [b"x"]

        app.mount(prefix, validator(wsgi))
        assert serving(app).post(path, **options).text == "x"
        return environs

    @rows(
        "path, script_name, path_info",
        ("/caf%C3%A9/%C3%BC/x", "/caf\xc3\xa9", "/\xc3\xbc/x"),
        ("/caf%C3%A9/", "/caf\xc3\xa9", "/"),
        ("/caf%C3%A9", "/caf\xc3\xa9", ""),
    )
    def test_is_valid_and_parts_the_path_at_the_prefix(self, serving, path, script_name, path_info):
        (environ,) = self.environs(serving, App(), "/café", path, body=b"body")
        assert (environ["SCRIPT_NAME"], environ["PATH_INFO"]) == (script_name, path_info)
        assert environ["read"] == b"body"

    def test_has_the_target_as_it_was_sent_where_the_server_tells(self, serving, interface):
        (environ,) = self.environs(serving, App(), "/old", "/old/a%20b?c=%20")
        target = environ.get("REQUEST_URI") or environ.get("RAW_URI")
        assert target == ("/old/a%20b?c=%20" if interface != "rsgi" else None)

    def test_has_nothing_of_the_server_s_that_the_server_has_to_get_back(self, serving):
        (environ,) = self.environs(serving, App(), "/old", "/old/x")
        assert "wsgi.file_wrapper" not in environ

    @pytest.mark.parametrize("interface", ["asgi", "rsgi"])
    def test_tells_of_the_client_and_not_of_the_proxy(self, serving):
        app = App(trusted_proxies=TrustedProxies(["127.0.0.1"]))
        headers = {"x-forwarded-for": "192.0.2.7", "x-forwarded-proto": "https"}
        (environ,) = self.environs(serving, app, "/old", "/old/x", headers=headers)
        assert (environ["REMOTE_ADDR"], environ.get("REMOTE_PORT")) == ("192.0.2.7", None)
        assert (environ["wsgi.url_scheme"], environ["SERVER_PORT"]) == ("https", "443")

    @pytest.mark.parametrize("interface", ["wsgi"])
    def test_of_a_wsgi_server_loses_the_proxy_s_port(self, serving):
        app = App(trusted_proxies=TrustedProxies(["127.0.0.1"]))
        options = {"extra": {"antiphon.names_are_exact": True, "REMOTE_PORT": "50000"}}
        environs = []

        def wsgi(environ, start_response):
            environs.append(environ)
            start_response("204 No Content", [])
            return []

        app.mount("/old", wsgi)
        serving(app, **options).get("/old/x", headers={"x-forwarded-for": "192.0.2.7"})
        assert [(environ["REMOTE_ADDR"], environ.get("REMOTE_PORT")) for environ in environs] == [("192.0.2.7", None)]


def test_headers_that_a_client_could_forge_are_not_believed_by_a_mounted_app_either():
    app, inner = App(), App(trusted_proxies=["127.0.0.1"])
    inner.get("/")(lambda request: str(request.ip))
    app.mount("/old", inner)
    serve = {True: app, False: lambda environ, start: app({**environ, "antiphon.names_are_exact": None}, start)}
    sent = {"x-forwarded-for": "192.0.2.7"}
    found = {are_exact: Client(each, "wsgi").get("/old", headers=sent).text for are_exact, each in serve.items()}
    assert found == {True: "192.0.2.7", False: "None"}


class OnBoth(Servable):
    """An application that answers on a thread, though it says that ASGI suits it best."""

    async def _handle(self, request):
        await ON_LOOP
        await asyncio.sleep(0)
        await ON_THREAD
        return Response(request.root_path)


def on_loop():
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


class TestThePlace:
    @rows("body", [b"", b"small", LARGE, [b"a"] * 3], ids=["no", "small", "large", "undeclared"])
    def test_of_each_handler_is_that_of_its_style(self, serving, layer, body):
        outer, mixed, blocking = App(), App(), App()
        layer(outer)

        def handler(request):
            return ["def", on_loop(), len(request.body)]

        async def waiting(request):
            await asyncio.sleep(0)
            return ["async def", on_loop(), len(request.body)]

        mixed.post("/waiting")(waiting)
        mixed.post("/blocking")(handler)
        blocking.post("/blocking")(handler)
        outer.mount("/mixed", mixed)
        outer.mount("/blocking", blocking)
        client = serving(outer)
        paths = ("/mixed/waiting", "/mixed/blocking", "/blocking/blocking")
        size = len(b"".join(body) if isinstance(body, list) else body)
        assert [client.post(path, body=body).json for path in paths] == [
            ["async def", True, size], ["def", False, size], ["def", False, size],
        ]  # fmt: skip

    def test_is_left_to_an_application_of_your_own(self, serving, layer, app):
        layer(app)
        app.mount("/old", OnBoth())
        assert serving(app).get("/old/x").text == "/old"


class TestHops:
    @pytest.mark.parametrize("interface", ["asgi", "rsgi"])
    @rows("body", [b"", b"small"], ids=["no body", "a small body"])
    @rows("layers", ["nothing", "def", "hooks"])
    @rows("name, expected", [("an app of def", 1), ("an app of async def", 0)])
    def test_a_mounted_app_costs_none(self, interface, submitted, body, layers, name, expected):
        outer, middle = App(), App()
        LAYERS[layers](outer)
        outer.mount("/a", middle)
        middle.mount("/b", KINDS[name].make())

        async def main():
            client = AsyncClient(outer, interface, timeout=10.0)
            await client.get("/nowhere")
            submitted.clear()
            response = await client.post("/a/b/x", body=body)
            return len(submitted), response.status

        assert asyncio.run(main()) == (expected, 200)
