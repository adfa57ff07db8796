"""What becomes of a page's results: texts, JSON, statuses, header fields, files, redirects."""

from textwrap import indent

import pytest

pytestmark = pytest.mark.axes("interface", "color")

COLORS = pytest.mark.parametrize("color", ["def", "async def"])


def page(color, body):
    """A page whose function has this body."""
    names = "RedirectException, Request, Response, redirect"
    return f"from antiphon.dialects.asok import {names}\n{color} render(request):\n{indent(body, '    ')}\n"


@pytest.fixture
def answers(serve):
    """The responses of pages with these bodies, which are pages of one project."""

    def answers(bodies, interface="wsgi", color="def"):
        files = {f"src/pages/n{number}/page.py": page(color, body) for number, body in enumerate(bodies)}
        client = serve(files, interface)
        return {body: client.get(f"/n{number}") for number, body in enumerate(bodies)}

    return answers


HTML = "text/html; charset=utf-8"
TEXT = "text/plain; charset=utf-8"
JSON = "application/json"


RESULTS = [
    ("return '<p>é'", 200, HTML, "<p>é"),
    ("return request.json({'s': 'ok', 'n': 42})", 200, JSON, '{"s":"ok","n":42}'),
    ("return request.json({'e': 1}, status=401)", 401, JSON, '{"e":1}'),
    ("return request.text('<p>')", 200, TEXT, "<p>"),
    ("return request.text('x', 418)", 418, TEXT, "x"),
    ("return request.api([1], 201)", 201, JSON, '{"data":[1],"status":201}'),
    ("return request.api_error('no', 422)", 422, JSON, '{"error":"no","status":422}'),
    ("return Response('b', 202, {'X-A': '1'}, 'text/plain')", 202, "text/plain", "b"),
    ("request.content_type = 'text/css'\nreturn b'a{}'", 200, "text/css", "a{}"),
    ("return (part for part in ('a', 'b'))", 200, HTML, "ab"),
    ("return {'a': 1}", 200, JSON, '{"a":1}'),
    ("request.status_code(201)\nreturn request.json({'n': 1})", 201, JSON, '{"n":1}'),
    ("return request.status_code(404).header('x-a', '1').text('n')", 404, TEXT, "n"),
    ("request.status_code(404)\nreturn str(request.status_code == 404)", 404, HTML, "True"),
    ("return str(request.status_code == 200)", 200, HTML, "True"),
    ("request.status = '410 Gone'\nreturn request.status", 410, HTML, "410 Gone"),
    ("return f'{request.status_code(410).code} {request.status_code()}'", 410, HTML, "410 410"),
    ("return str(isinstance(request, Request))", 200, HTML, "True"),
    ("import antiphon\nrequest.status_code(201)\nreturn antiphon.Response.html('<b>')", 201, HTML, "<b>"),
]


@pytest.mark.feature("asok-031", "asok-046", "asok-047", "asok-048", "asok-086", "asok-084")
@COLORS
def test_a_result_is_answered(answers, interface, color):
    found = answers([body for body, *_ in RESULTS], interface, color)
    seen = [(body, each.status, each.headers["content-type"], each.text) for body, each in found.items()]
    assert seen == RESULTS


def test_a_status_that_no_response_has_is_an_error(answers):
    found = answers([f"return request.status_code({code!r}).text('x')" for code in (99, 199, 600, "404")])
    assert [each.status for each in found.values()] == [500] * 4


REDIRECTS = [
    ("request.redirect('/dashboard')", 302, "/dashboard"),
    ("raise RedirectException('/a', 307)", 307, "/a"),
    ("redirect('https://other.example/', 301)", 301, "https://other.example/"),
    ("request.redirect('https://other.example/', safe=False)", 302, "https://other.example/"),
    ("request.redirect('http://testserver/x')", 302, "http://testserver/x"),
    ("request.redirect('https://evil.example/')", 400, None),
    ("request.redirect('//evil.example')", 400, None),
    ("request.redirect('http://testserver.evil.example/')", 400, None),
]


@pytest.mark.feature("asok-053", "asok-054")
@COLORS
def test_a_redirect_ends_the_page_and_leads_elsewhere_only_if_that_is_said(answers, interface, color):
    found = answers([f"{call}\nraise AssertionError" for call, *_ in REDIRECTS], interface, color)
    seen = [(each.status, each.headers.get("location")) for each in found.values()]
    assert seen == [(status, location) for _, status, location in REDIRECTS]
