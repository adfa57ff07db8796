"""What is called before and after a handler."""

import pytest

pytestmark = pytest.mark.axes("interface")


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
