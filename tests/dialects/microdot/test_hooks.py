"""What is called before and after a handler."""

import pytest

from antiphon.dialects.microdot import Microdot, Request, Response

pytestmark = pytest.mark.axes("interface")


@pytest.mark.feature("microdot-001")
def test_one_request_is_passed_to_all(app, serve):
    seen = []

    @app.before_request
    async def before(request):
        seen.append(request)

    @app.get("/")
    async def handler(request):
        seen.append(request)
        raise KeyError

    @app.errorhandler(KeyError)
    async def failed(request, error):
        seen.append(request)
        return "handled"

    @app.after_error_request
    async def after(request, response):
        seen.append(request)

    assert serve(app).get("/").text == "handled"
    assert [type(request) for request in seen] == [Request] * 4
    assert len(set(map(id, seen))) == 1


def test_they_are_not_called_where_no_route_is(app, serve):
    called = []
    app.before_request(called.append)
    assert serve(app).get("/").status == 404
    assert not called


@pytest.mark.feature("microdot-037")
@pytest.mark.parametrize(
    "answer", [("Unauthorized", 401), {"no": 1}, "no", Response("no", 403)], ids=["tuple", "dict", "text", "response"]
)
def test_a_function_before_the_request_can_answer(app, serve, answer):
    called = []

    @app.before_request
    async def authorize(request):
        return answer if request.path == "/closed" else None

    @app.get("/closed")
    @app.get("/open")
    async def handler(request):
        called.append(request.path)
        return "handled"

    client = serve(app)
    assert client.get("/open").text == "handled"
    assert client.get("/closed").text != "handled"
    assert called == ["/open"]


@pytest.mark.feature("microdot-038")
def test_functions_after_the_request_are_called_with_every_response(app, serve):
    @app.after_request
    async def first(request, response):
        response.headers["X-Order"] = "first"
        return response

    @app.after_request
    def second(request, response):
        response.headers["X-Order"] += " second"

    @app.before_request
    async def before(request):
        return "early" if request.path == "/early" else None

    app.get("/early")(lambda request: "late")
    app.get("/text")(lambda request: "text")
    app.get("/dict")(lambda request: {})
    client = serve(app)
    for path in ("/early", "/text", "/dict"):
        assert client.get(path).headers["x-order"] == "first second"


@pytest.mark.feature("microdot-038")
def test_what_they_return_is_the_response(app, serve):
    app.get("/")(lambda request: "first")
    app.after_request(lambda request, response: Response("second", 201))
    app.after_request(lambda request, response: ("third", response.status_code + 1))
    response = serve(app).get("/")
    assert (response.status, response.text) == (202, "third")


@pytest.mark.feature("microdot-040")
def test_a_function_after_this_request_only(app, serve):
    @app.get("/<name>")
    async def handler(request, name):
        if name == "once":

            @request.after_request
            async def mark(request, response):
                response.headers["X-Once"] = name
                return response

        return "x"

    client = serve(app)
    assert client.get("/once").headers["x-once"] == "once"
    assert "x-once" not in client.get("/again").headers


@pytest.mark.feature("microdot-041")
def test_it_returns_the_response_to_send(app, serve):
    @app.get("/")
    async def handler(request):
        request.after_request(lambda request, response: Response("other"))
        return "one"

    assert serve(app).get("/").text == "other"


@pytest.mark.feature("microdot-023")
def test_g_is_shared_within_a_request_and_with_no_other(app, serve):
    @app.before_request
    async def before(request):
        request.g.seen = [*getattr(request.g, "seen", []), "before"]

    @app.get("/<name>")
    async def handler(request, name):
        request.g.seen.append("handler")
        if name == "fail":
            raise LookupError
        return ""

    @app.errorhandler(LookupError)
    def failed(request, error):
        request.g.seen.append("error")
        return "failed"

    @app.after_request
    @app.after_error_request
    def after(request, response):
        response.headers["X-Seen"] = " ".join(request.g.seen)

    client = serve(app)
    for _ in range(2):
        assert client.get("/work").headers["x-seen"] == "before handler"
        assert client.get("/fail").headers["x-seen"] == "before handler error"


def test_an_application_may_choose_the_functions_in_its_own_way(serve):
    asked = []

    class Choosing(Microdot):
        def get_request_handlers(self, req, attr, local_first):
            asked.append((attr, local_first))
            return [*super().get_request_handlers(req, attr, local_first), *self.more.get(attr, ())]

        def before(self, request):
            return "closed" if request.path == "/closed" else None

        async def after(self, request, response):
            response.headers["X-After"] = "chosen"

        @property
        def more(self):
            return {"before_request": [self.before], "after_request": [self.after], "after_error_request": [self.after]}

    app = Choosing()

    @app.get("/closed")
    @app.get("/open")
    async def handler(request):
        return "open"

    client = serve(app)
    for path, text in (("/open", "open"), ("/closed", "closed"), ("/none", "Not found")):
        response = client.get(path)
        assert (response.text, response.headers["x-after"]) == (text, "chosen")
    answered = [("before_request", False), ("after_request", True)]
    assert asked == [*answered, *answered, ("after_error_request", True)]


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


def test_a_hook_that_a_handler_registers_is_called_for_its_response(app, serve):
    @app.get("/")
    async def handler(request):
        @app.after_request
        async def seal(request, response):
            response.status_code += 1

        return "sealed"

    assert serve(app).get("/").status == 201
