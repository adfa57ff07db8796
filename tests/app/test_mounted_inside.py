"""What is around a mounted application, and how its errors and its responses come out."""

import logging
from contextvars import ContextVar

import pytest

from antiphon import App, Response, to_app
from antiphon.http.errors import NotFound
from tests.helpers.mountable_apps import KINDS, OTHERS, OURS, Boom
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("interface", "kind", "style", "other")

variable = ContextVar("variable", default="unset")


@pytest.fixture(params=KINDS.values(), ids=KINDS)
def kind(request):
    return request.param


class TestAround:
    def test_the_outer_middleware_and_hooks_are_around_the_inner_ones(self, serving, style, other, seen):
        outer, inner = App(), App()
        for name, app in (("outer", outer), ("inner", inner)):
            app.before_request(style(lambda request, name=name: seen.append(f"{name} before {request.path}")))
            app.after_request(style(lambda request, response, name=name: seen.append(f"{name} after {request.path}")))
            app.middleware(
                other.around(
                    lambda request, name=name: seen.append(f"{name} opens"),
                    lambda request, response, name=name: seen.append(f"{name} closes"),
                )
            )
        outer.mount("/old", inner)
        inner.get("/x")(style(lambda request: "x"))
        assert serving(outer).get("/old/x").text == "x"
        assert seen == [
            "outer opens", "outer before /old/x", "inner opens", "inner before /x",
            "inner after /x", "inner closes", "outer after /old/x", "outer closes",
        ]  # fmt: skip

    def test_context_variables_reach_every_kind_of_application(self, serving, other, app, seen):
        app.middleware(other.around(lambda request: variable.set("outer") and None))

        def wsgi(environ, start_response):
            seen.append(variable.get())
            start_response("204 No Content", [])
            return []

        async def asgi(scope, receive, send):
            if scope["type"] != "http":
                raise NotImplementedError
            seen.append(variable.get())
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body"})

        def served(request):
            seen.append(variable.get())
            return Response(None, 204)

        for prefix, application in {"/wsgi": wsgi, "/asgi": asgi, "/served": to_app(served)}.items():
            app.mount(prefix, application)
        client = serving(app)
        assert [client.get(prefix).status for prefix in ("/wsgi", "/asgi", "/served")] == [204] * 3
        assert seen == ["outer"] * 3


class TestErrors:
    def watched(self, inner):
        app = App()
        seen = []

        @app.middleware
        def watch(request):
            response = yield
            seen.append((response.status, type(response.error), request.id))

        app.mount("/old", inner)
        return app, seen

    def test_are_answered_and_logged_once_and_known_outside(self, serving, kind, caplog):
        app, seen = self.watched(kind.make())
        with caplog.at_level(logging.INFO):
            response = serving(app).get("/old/boom", headers={"accept": "application/json"})
        assert response.status == 500
        (record,) = caplog.records
        assert record.exc_info[0] is Boom
        ((status, error, name),) = seen
        assert (status, error) == (500, Boom)
        assert response.json["request_id"] == name
        assert name in record.getMessage()

    @pytest.mark.parametrize("name", OURS)
    def test_of_a_mounted_app_are_answered_by_its_own_error_handlers(self, serving, name):
        inner = OURS[name].make()
        ids = []

        @inner.errorhandler(Boom)
        def handle(request, error):
            ids.append(request.id)
            return f"inner {request.path}"

        app, seen = self.watched(inner)
        app.errorhandler(Boom)(lambda request, error: "outer")
        response = serving(app).get("/old/boom")
        assert (response.status, response.text) == (500, "inner /boom")
        assert seen == [(500, Boom, ids[0])]

    def test_that_a_mounted_app_does_not_handle_are_not_asked_of_the_outer_handlers(self, serving, style):
        inner = App()
        inner.get("/x")(style(lambda request: "x"))
        app, seen = self.watched(inner)
        app.errorhandler(404)(lambda request, error: "outer")
        response = serving(app).get("/old/nowhere")
        assert response.status == 404
        assert response.text != "outer"
        assert [(status, error) for status, error, _ in seen] == [(404, NotFound)]


CROSS_SITE = {"sec-fetch-site": "cross-site", "origin": "https://shop.example"}


class TestWritesFromOtherSites:
    @pytest.mark.parametrize("body", ["load", "stream"])
    def test_are_refused_before_any_application_sees_them(self, serving, kind, body, app):
        app.mount("/old", kind.make(), receive=body)
        client = serving(app)
        assert client.post("/old/x", headers=CROSS_SITE).status == 403
        assert client.get("/old/x", headers=CROSS_SITE).status == 200
        assert client.post("/old/x", headers={"sec-fetch-site": "same-origin"}).status == 200

    @pytest.mark.parametrize("name", OURS)
    def test_pass_for_origins_that_the_mounted_app_trusts(self, serving, name, app):
        inner = OURS[name].make()
        inner.trusted_origins.add(["https://shop.example"])
        app.mount("/old", inner)
        assert serving(app).post("/old/x", headers=CROSS_SITE).status == 200

    @pytest.mark.parametrize("name", OURS)
    def test_are_for_a_mounted_app_to_judge_alone(self, serving, name):
        app = App(trusted_origins=["https://shop.example"])
        app.mount("/old", OURS[name].make())
        assert serving(app).post("/old/x", headers=CROSS_SITE).status == 403

    @rows("name", OTHERS)
    def test_pass_to_other_applications_for_origins_that_the_outer_app_trusts(self, serving, name):
        app = App(trusted_origins=["https://shop.example"])
        app.mount("/old", OTHERS[name].make())
        assert serving(app).post("/old/x", headers=CROSS_SITE).status == 200
