"""Redirects and errors that are raised to answer a request."""

import asyncio

import pytest

from antiphon import App, HTTPError, Redirect, Response, abort, to_app
from antiphon.handler.callables import describe
from antiphon.http.errors import NotFound, Unauthorized, UnprocessableContent
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("interface", "style", "other")

PLACES = [
    "handler", "before", "after", "hook of the request", "middleware", "closing", "error handler", "before routing"
]  # fmt: skip


def app_that(place, error, style, other):
    """An application that raises an error at one place, and whose error handlers would make a page of any."""
    app = App()
    app.handled = []

    def raises(at):
        def raise_it(request, *_):
            if at == place:
                raise error

        return raise_it

    app.middleware(other.around(raises("before routing")), before_routing=True)
    app.middleware(other.around(raises("middleware"), raises("closing")))
    app.before_request(other(raises("before")))
    app.after_request(other(raises("after")))

    @app.errorhandler(ZeroDivisionError)
    @other
    def handles(request, error):
        raises("error handler")(request)

    for key in (Exception, 500):

        @app.errorhandler(key)
        @other
        def handles_all(request, error):
            app.handled.append(error)
            return "handled"

    @app.get("/")
    @style
    def handler(request):
        request.on_response(other(raises("hook of the request")))
        raises("handler")(request)
        return 1 // 0 if place == "error handler" else "x"

    return app


class TestARedirect:
    @rows("place", PLACES)
    def test_answers_wherever_it_is_raised(self, serving, style, other, place, caplog):
        app = app_that(place, Redirect("/café?q=a b", 307, {"x-own": "1"}), style, other)
        response = serving(app).get("/")
        assert (response.status, response.body) == (307, b"")
        assert (response.headers["location"], response.headers["x-own"]) == ("/caf%C3%A9?q=a%20b", "1")
        assert app.handled == []
        assert caplog.records == []

    @rows("location", ["/a\r\nset-cookie: b=c", "/\0", "/a\nb", " /x", ""])
    def test_cannot_bring_a_header_of_the_client_s(self, serving, location):
        app = App()

        @app.get("/")
        def handler(request):
            raise Redirect(location)

        response = serving(app).get("/")
        assert response.status == 303
        assert "set-cookie" not in response.headers
        assert response.headers["location"].isprintable()

    @pytest.mark.parametrize("make", [Redirect, Response.redirect], ids=["raised", "returned"])
    def test_to_a_site_of_the_client_s_choice_is_a_bad_request(self, serving, style, make, caplog, app):
        @app.get("/login")
        @style
        def login(request):
            answer = make(request.args["next"])
            if isinstance(answer, Redirect):
                raise answer
            return answer

        client = serving(app)
        assert client.get("/login?next=/home").location == "/home"
        response = client.get("/login?next=//evil.example")
        assert (response.status, "location" in response.headers) == (400, False)
        assert "external" not in response.text
        (record,) = caplog.records
        assert (record.levelname, record.exc_info) == ("WARNING", None)
        assert "'//evil.example' may lead to another site" in record.getMessage()
        assert "external=True" in record.getMessage()
        assert describe(login) in record.getMessage()

    def test_that_cannot_be_sent_is_a_failure_of_the_handler(self, serving, style, caplog, app):
        @app.get("/")
        @style
        def handler(request):
            raise Redirect("/\ud800")

        assert serving(app).get("/").status == 500
        assert "surrogates" in caplog.text


class TestAbort:
    @rows("status", [*HTTPError.by_status, 418, 420, 430, 509, 599])
    def test_raises_the_error_of_a_status(self, status):
        demanded = dict.fromkeys(("allow", "proxy-authenticate", "upgrade", "www-authenticate"), "x")
        with pytest.raises(HTTPError) as error:
            abort(status, "why", members={"by": "ada"}, headers={"x-a": "1", **demanded}, title="Oh", type="/oh")
        assert type(error.value) is HTTPError.by_status.get(status, HTTPError)
        assert error.value.status == status
        assert error.value.headers["x-a"] == "1"
        assert error.value.problem() == {"type": "/oh", "title": "Oh", "status": status, "detail": "why", "by": "ada"}

    def test_takes_what_the_error_s_own_class_takes(self):
        with pytest.raises(Unauthorized) as error:
            abort(401, challenge="Basic")
        assert error.value.headers["www-authenticate"] == "Basic"

    @rows("status", [0, 99, 200, 204, 399, 600, 1000])
    def test_refuses_a_status_that_is_no_error_s(self, status):
        with pytest.raises(ValueError, match=f"400 to 599, not {status}"):
            abort(status)

    @rows("status", [301, 302, 303, 307, 308])
    def test_tells_what_redirects(self, status):
        with pytest.raises(ValueError, match=rf"not {status}.*raise Redirect\("):
            abort(status, "/x")

    @rows("place", PLACES)
    def test_answers_wherever_it_is_called(self, serving, style, other, place):
        app = app_that(place, UnprocessableContent("no", members={"field": "age"}), style, other)
        response = serving(app).get("/")
        if place == "error handler":  # what fails while an error is handled is not handled again
            assert (response.status, response.json["detail"], response.json["field"]) == (422, "no", "age")
            assert app.handled == []
        else:
            assert (response.status, response.text) == (422, "handled")
            assert [str(error) for error in app.handled] == ["422 Unprocessable Content: no"]

    @rows("status", [404, 418, 451, 503])
    def test_answers_with_status_and_detail(self, serving, style, status):
        app = App()

        @app.get("/")
        @style
        def handler(request):
            abort(status, "Not here.", headers={"retry-after": "5"}, members={"order": 7})

        response = serving(app).get("/")
        assert (response.status, response.headers["retry-after"]) == (status, "5")
        assert (response.json["detail"], response.json["order"]) == ("Not here.", 7)


class TestAGroup:
    """Task groups raise what their tasks raise in a group."""

    @staticmethod
    def group(depth, *errors):
        return ExceptionGroup("nested", [TestAGroup.group(depth - 1, *errors)] if depth else [*errors])

    @rows("depth", [0, 2])
    @rows(
        "error, status, logged",
        (NotFound("nothing"), 404, 0), (Redirect("/x"), 303, 0), (ZeroDivisionError(), 418, 0),
        (KeyError("x"), 500, 1), ids=repr,
    )  # fmt: skip
    def test_of_one_error_is_that_error(self, serving, style, other, depth, error, status, logged, caplog):
        seen = []
        app = App()
        app.after_request(other(lambda request, response: seen.append(response.error)))
        app.errorhandler(ZeroDivisionError)(other(lambda request, error: ("handled", 418)))

        @app.get("/")
        @style
        def handler(request):
            raise self.group(depth, error)

        assert serving(app).get("/").status == status
        assert seen == [None if isinstance(error, Redirect) else error]
        assert [record.exc_info[1] for record in caplog.records] == [error] * logged

    def test_of_tasks_is_their_error(self, serving, app):
        async def fails():
            abort(404, "There is no such order.")

        @app.get("/")
        async def handler(request):
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(fails())
                tasks.create_task(asyncio.sleep(30))

        assert serving(app).get("/").json["detail"] == "There is no such order."

    def test_of_several_errors_is_a_failure(self, serving, style, caplog, app):
        group = self.group(1, NotFound("one"), NotFound("two"))

        @app.get("/")
        @style
        def handler(request):
            raise group

        assert serving(app).get("/").status == 500
        assert caplog.records[0].exc_info[1] is group

    def test_of_several_errors_may_have_an_error_handler(self, serving, style, app):
        app.errorhandler(ExceptionGroup)(lambda request, error: (str(len(error.exceptions)), 409))

        @app.get("/")
        @style
        def handler(request):
            raise self.group(0, NotFound("one"), ValueError("two"))

        assert serving(app).get("/").text == "2"

    def test_of_one_error_answers_for_a_served_function(self, serving, style):
        @style
        def function(request):
            raise self.group(1, NotFound("nothing"))

        assert serving(to_app(function)).get("/").status == 404
