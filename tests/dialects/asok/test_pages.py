"""Pages of a project: their paths, the functions that answer, and what becomes of their results."""

import pytest

INTERFACES = pytest.mark.parametrize("interface", ["wsgi", "asgi", "rsgi"])


@pytest.mark.feature("asok-001", "asok-003", "asok-004")
@INTERFACES
@pytest.mark.axes("interface")
@pytest.mark.parametrize("color", ["def", "async def"])
def test_render_is_given_the_request_and_its_result_is_the_response(serve, interface, color):
    page = f"{color} render(request):\n    return f'<p>{{request.params!r}} {{request.method}}</p>'\n"
    client = serve({"src/pages/user/[id]/page.py": page}, interface)
    response = client.get("/user/42")
    assert (response.status, response.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert response.text == "<p>{'id': '42'} GET</p>"
    assert client.get("/user/a/b").status == client.get("/user").status == 404


@pytest.mark.feature("asok-002")
def test_a_function_named_after_a_method_answers_that_and_render_the_others(serve):
    page = """
def render(request): return f"render {request.method}"
async def post(request): return f"post {request.method}"
def delete(request): return "gone"
"""
    client = serve({"page.py": page}, prepare=lambda app: app.config.update(CSRF=False))
    answers = {method: client.request(method, "/").text for method in ("GET", "POST", "PUT", "PATCH", "DELETE")}
    assert answers == {
        "GET": "render GET",
        "POST": "post POST",
        "PUT": "render PUT",
        "PATCH": "render PATCH",
        "DELETE": "gone",
    }
