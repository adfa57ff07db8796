"""Pages of a project: their paths, the functions that answer, and what becomes of their results."""

import pytest


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


FOUND = {
    "src/pages/about.py": "about", "src/pages/news/index.py": "news", "src/pages/item/[n:int]/page.py": "item",
    "src/pages/item/[slug:slug]/page.py": "slug", "src/pages/code/[code:hex].py": "code",
    "src/pages/id/[id:uuid]/page.py": "id", "src/pages/price/[value:float].py": "price",
}  # fmt: skip
UUID = "123e4567-e89b-12d3-a456-426614174000"


def test_paths_are_those_of_files_and_segments_are_converted(serve):
    page = "def render(request):\n    return request.json({{{name!r}: request.params}})"
    client = serve({path: page.format(name=name) for path, name in FOUND.items()})
    answers = {
        "/about": {"about": {}},
        "/news": {"news": {}},
        "/item/7": {"item": {"n": 7}},
        "/item/a-b": {"slug": {"slug": "a-b"}},
        "/code/00ff": {"code": {"code": "00ff"}},
        f"/id/{UUID}": {"id": {"id": UUID}},
        "/price/1.5": {"price": {"value": 1.5}},
    }
    assert {path: client.get(path).json for path in answers} == answers
    assert [client.get(path).status for path in ("/item/A_B", "/code/xyz", "/id/7", "/")] == [404] * 4
    assert client.get("/about/").headers["location"] == "/about"


def test_a_page_without_a_function_is_refused(serve):
    with pytest.raises(ValueError, match=r"empty\.py has no handler: define render"):
        serve({"empty.py": ""}).get("/")
