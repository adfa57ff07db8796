import pytest

from antiphon import App, Response
from antiphon.handler import describe
from antiphon.http.errors import Forbidden, NotFound


def app_with(colour, called):
    app = App()

    @app.get("/")
    @colour
    def handler(request):
        called.append("handler")
        return "handler"

    @app.get("/fails")
    @colour
    def fails(request):
        called.append("fails")
        raise NotFound("by the handler")

    return app


class TestBefore:
    def test_come_in_order_and_let_through_what_they_don_t_answer(self, serving, colour, other):
        called = []
        app = app_with(colour, called)
        for name in ("first", "second", "third"):
            app.before_request(other(lambda request, name=name: called.append(name)))
        assert serving(app).get("/").text == "handler"
        assert called == ["first", "second", "third", "handler"]

    @pytest.mark.parametrize(
        ("answer", "status", "body"),
        [
            ("early", 200, b"early"), ("", 200, b""), ({}, 200, b"{}"), (("early", 401), 401, b"early"),
            (Response("early", 418), 418, b"early"),
        ],
        ids=repr,
    )  # fmt: skip
    def test_may_answer_early(self, serving, colour, other, answer, status, body):
        called = []
        app = app_with(colour, called)
        app.before_request(other(lambda request: called.append("first")))
        app.before_request(other(lambda request: answer))
        app.before_request(other(lambda request: called.append("never")))
        app.after_request(other(lambda request, response: called.append("after")))
        response = serving(app).get("/")
        assert (response.status, response.body) == (status, body)
        assert called == ["first", "after"]

    def test_may_raise(self, serving, colour, other):
        called = []
        app = app_with(colour, called)

        @app.before_request
        @other
        def refuses(request):
            raise Forbidden("not you")

        app.after_request(other(lambda request, response: called.append(response.status)))
        response = serving(app).get("/")
        assert (response.status, response.json["detail"]) == (403, "not you")
        assert called == [403]

    def test_that_return_nonsense_are_named_in_the_log(self, serving, colour, other, caplog):
        app = app_with(colour, [])

        @app.before_request
        @other
        def mistaken(request):
            return 5

        assert serving(app).get("/").status == 500
        assert describe(mistaken) in caplog.text

    def test_come_before_what_was_not_found(self, serving, colour, other):
        called = []
        app = app_with(colour, called)
        app.before_request(other(lambda request: called.append(request.path)))
        assert serving(app).get("/nowhere").status == 404
        assert called == ["/nowhere"]


class TestAfter:
    def test_come_in_reverse_order(self, serving, colour, other):
        called = []
        app = app_with(colour, called)
        for name in ("first", "second", "third"):
            app.after_request(other(lambda request, response, name=name: called.append(name)))
        assert serving(app).get("/").text == "handler"
        assert called == ["handler", "third", "second", "first"]

    def test_may_change_the_response(self, serving, colour, other):
        app = app_with(colour, [])

        @app.after_request
        @other
        def changes(request, response):
            response.headers["x-after"] = "1"
            response.status = 202

        response = serving(app).get("/")
        assert (response.status, response.text, response.headers["x-after"]) == (202, "handler", "1")

    def test_may_replace_the_response_for_those_that_follow(self, serving, colour, other):
        seen = []
        app = app_with(colour, [])
        app.after_request(other(lambda request, response: seen.append(response.body)))
        app.after_request(other(lambda request, response: ("replaced", 202)))
        response = serving(app).get("/")
        assert (response.status, response.text) == (202, "replaced")
        assert seen == [b"replaced"]

    def test_see_errors_as_responses(self, serving, colour, other):
        seen = []
        app = app_with(colour, [])
        app.after_request(other(lambda request, response: seen.append((response.status, type(response.error)))))
        client = serving(app)
        for path, method in (("/", "GET"), ("/fails", "GET"), ("/nowhere", "GET"), ("/", "PUT")):
            client.request(method, path)
        assert [status for status, _ in seen] == [200, 404, 404, 405]
        assert [error.__name__ for _, error in seen] == ["NoneType", "NotFound", "NotFound", "MethodNotAllowed"]

    def test_that_fail_become_the_response_for_those_that_follow(self, serving, colour, other, caplog):
        seen = []
        error = LookupError("boom")
        app = app_with(colour, [])
        app.after_request(other(lambda request, response: seen.append((response.status, response.error))))

        @app.after_request
        @other
        def fails(request, response):
            raise error

        assert serving(app).get("/").status == 500
        assert seen == [(500, error)]

    def test_that_return_nonsense_are_named_in_the_log(self, serving, colour, other, caplog):
        app = app_with(colour, [])

        @app.after_request
        @other
        def mistaken(request, response):
            return 5

        assert serving(app).get("/").status == 500
        assert describe(mistaken) in caplog.text

    def test_keep_the_error_of_the_response_that_they_replace(self, serving, colour, other):
        seen = []
        app = app_with(colour, [])
        app.after_request(other(lambda request, response: seen.append(type(response.error))))
        app.after_request(other(lambda request, response: Response("replaced")))
        serving(app).get("/fails")
        assert seen == [NotFound]
