"""Routes, views and exceptions of whole programs, beside Pyramid."""

import pytest

from tests.dialects.pyramid.beside import assert_alike


def hello(p):
    def named(request):
        return p.response.Response(f"Hello {request.matchdict['name']}")

    class Page:
        def __init__(self, request):
            self.request = request

        def posted(self):
            return p.response.Response(f"posted {self.request.POST['a']}")

    with p.configurator() as config:
        config.add_route("hello", "/hello/{name}")
        config.add_view(named, route_name="hello")
        config.add_route("json", "/json")
        config.add_view(lambda request: {"a": 1}, route_name="json", renderer="json")
        config.add_view(Page, attr="posted", route_name="json", request_method="POST")
        config.add_route("string", "/string")
        config.add_view(lambda context, request: "some text", route_name="string", renderer="string")
        config.add_view(lambda request: p.response.Response("root"))
        return config.make_wsgi_app()


HTML, JSON = {"headers": {"Accept": "text/html"}}, {"headers": {"Accept": "application/json"}}


@pytest.mark.parametrize(
    ("program", "asked"),
    [
        (
            hello,
            ["/hello/you", "/hello/", ("/hello/", HTML), ("/x", JSON), "/json", ("/json", {"POST": {"a": "1"}}),
             "/string", "/", "/missing"],
        ),
    ],
)  # fmt: skip
def test_programs_answer_as_with_pyramid(program, asked):
    assert_alike(program, asked)
