"""Errors: the exceptions that pages raise, and the pages that answer them."""

import pytest

from antiphon.dialects import asok
from tests.helpers.rows import rows

RAISES = "import antiphon.dialects.asok as asok\ndef render(request):\n    {}\n"


ERRORS = [
    ("request.abort(418, 'a <pot>')", 418, "<h1>418</h1><p>a &lt;pot&gt;</p>"),
    ("request.abort_404()", 404, "<h1>404</h1><p>The requested resource was not found</p>"),
    ("request.abort_403('no')", 403, "<h1>403</h1><p>no</p>"),
    ("request.abort_401('who')", 401, "<h1>401</h1><p>who</p>"),
    ("request.not_found('gone')", 404, "<h1>404</h1><p>gone</p>"),
    ("request.forbidden()", 403, "<h1>403</h1>"),
    ("request.unauthorized()", 401, "<h1>401</h1>"),
    ("asok.abort()", 404, "<h1>404</h1>"),
    ("asok.abort(409, 'x')", 409, "<h1>409</h1><p>x</p>"),
    ("raise asok.NotFoundError('n')", 404, "<h1>404</h1><p>n</p>"),
    ("raise asok.SecurityError('s')", 403, "<h1>403</h1><p>s</p>"),
    ("raise asok.ValidationError('v', {'a': 'b'})", 400, "<h1>400</h1><p>v</p>"),
    ("1 / 0", 500, "<h1>500</h1><p>The server failed to handle the request; the failure has been logged.</p>"),
]


def test_an_exception_is_answered_by_its_status_and_message(serve):
    client = serve({f"src/pages/n{n}/page.py": RAISES.format(call) for n, (call, *_) in enumerate(ERRORS)})
    found = [client.get(f"/n{n}") for n in range(len(ERRORS))]
    assert [(each.status, each.text) for each in found] == [(status, text) for _, status, text in ERRORS]
    assert {each.headers["content-type"] for each in found} == {"text/html; charset=utf-8"}


def test_an_error_has_what_its_status_demands(serve):
    client = serve({
        "page.py": RAISES.format("request.method_not_allowed(['GET', 'PUT'])"),
        "src/pages/how/page.py": RAISES.format("request.abort(405)"),
        "src/pages/who/page.py": RAISES.format("request.abort(401)"),
        "src/pages/slow/page.py": RAISES.format("raise asok.RateLimitExceeded(retry_after=7)"),
    })  # fmt: skip
    assert client.get("/").headers["allow"] == "GET, PUT"
    assert client.get("/how").headers["allow"] == ""
    assert client.get("/who").headers["www-authenticate"] == "Bearer"
    assert (client.get("/slow").status, client.get("/slow").headers["retry-after"]) == (429, "7")


NOT_FOUND = """
{} render(request):
    return f"{{request.status_code}} {{request.params['description']}} at {{request.path}}"
"""


@rows("color", ["def", "async def"])
@rows("interface", ["wsgi", "asgi"])
def test_a_page_named_after_a_status_answers_its_errors(serve, interface, color):
    page = RAISES.format("request.header('X-A', '1').json({}, 201) and request.abort_404('No such film')")
    failing = RAISES.format("raise OSError('secret')")
    client = serve({
        "page.py": page,
        "src/pages/fail/page.py": failing,
        "src/pages/404/page.py": NOT_FOUND.format(color),
        "500.py": "CONTENT = '<p>Sorry'",
    }, interface)  # fmt: skip
    response = client.get("/")
    assert (response.status, response.text) == (404, "404 No such film at /")
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert client.get("/nowhere").text == "404 There is nothing at /nowhere. at /nowhere"
    assert (client.get("/fail").status, client.get("/fail").text) == (500, "<p>Sorry")


@rows("name", ["Model", "Admin", "WebSocketServer", "background", "Component", "Mail"])
def test_names_that_are_not_offered_say_so(name):
    with pytest.raises(
        ImportError, match=rf"asok does not offer {name}: use what docs/reference/dialects/asok\.md lists"
    ):
        exec(f"from antiphon.dialects.asok import {name}", {})
    with pytest.raises(AttributeError, match="nonsense"):
        asok.nonsense  # noqa: B018 - reading it raises


def test_the_names_that_are_offered_are_listed():
    assert {"Asok", "Request", "abort", "RedirectException"} <= {*asok.__all__} <= {*dir(asok)}
    assert all(getattr(asok, name) is not None for name in asok.__all__)
