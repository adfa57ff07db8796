"""What goes wrong, and who answers then."""

import pytest

from antiphon.dialects.microdot import Microdot, abort
from antiphon.dialects.microdot.microdot import HTTPException

pytestmark = pytest.mark.axes("interface")


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("/none", 404, "Not found"),
        ("/abort", 403, "403 error"),
        ("/reason", 409, "in use"),
        ("/fail", 500, "Internal server error"),
        ("/bad", 500, "Internal server error"),
    ],
)
def test_errors_without_a_handler(app, serve, path, status, text):
    app.get("/abort")(lambda request: abort(403))
    app.get("/reason")(lambda request: Microdot.abort(409, "in use"))
    app.get("/fail")(lambda request: 1 / 0)
    app.get("/bad")(lambda request: ())
    response = serve(app).get(path)
    assert (response.status, response.text) == (status, text)


def test_errors_of_the_layers_below_keep_their_status_and_headers(app, serve):
    from antiphon.http.errors import InsufficientStorage, Unauthorized

    def fail(request):
        if request.path == "/full":
            raise InsufficientStorage
        raise Unauthorized("say who", headers={"www-authenticate": "Basic"})

    app.get("/full")(fail)
    app.get("/who")(fail)
    client = serve(app)
    assert client.get("/full").status == 507
    response = client.get("/who")
    assert (response.status, response.text, response.headers["www-authenticate"]) == (401, "say who", "Basic")


def test_an_error_in_an_error_handler_is_a_500(app, serve):
    app.get("/")(lambda request: 1 / 0)
    app.errorhandler(ZeroDivisionError)(lambda request, error: {}["no"])
    app.errorhandler(404)(lambda request: {}["no"])
    client = serve(app)
    assert client.get("/").text == "Internal server error"
    assert client.get("/none").status == 500


def test_an_http_exception_has_its_status_and_reason():
    with pytest.raises(HTTPException) as raised:
        abort(404)
    assert (raised.value.status_code, raised.value.reason) == (404, "404 error")
    assert repr(raised.value) == "HTTPException: 404"
