"""One function as a view in seventeen applications: twenty-one requests have the same answers, byte for byte."""

from functools import cache

import pytest

from antiphon import Response, view
from antiphon.concurrency.loop import running_loop
from tests.frameworks import apps
from tests.frameworks.exchanges import EXCHANGES, ask, asking, asking_views
from tests.helpers.handlers import in_style

pytestmark = pytest.mark.usefixtures("quiet")

DIFFERENT = {
    ("fasthtml", "malformed JSON"): "FastHTML reads JSON itself, and refuses it before the view",
    ("fasthtml", "error page"): "FastHTML refuses JSON that is no object before the view",
    ("pyramid", "json"): "WebOb makes Location a whole URL",
    ("webob", "json"): "WebOb makes Location a whole URL",
}
"""What differs, and why."""


@cache
def expected(name):
    app = apps.own()

    def as_served(environ, start_response):
        return app(environ, start_response)

    return ask(as_served, "wsgi", *EXCHANGES[name])


@pytest.mark.parametrize("make", [
    *apps.WSGI, *apps.ASGI, *apps.SERVED, pytest.param(apps.fasthtml, marks=[
        pytest.mark.once,  # FastHTML leaves uploads that it has parsed open
        pytest.mark.filterwarnings("ignore:Exception ignored in. <function SpooledTemporaryFile"),
    ]),
])  # fmt: skip
def test_answers_are_the_same(make):
    with asking(apps.made(make), make.__name__) as ask_app:
        answers = {name: ask_app(*sent) for name, sent in EXCHANGES.items() if (make.__name__, name) not in DIFFERENT}
    assert answers == {name: expected(name) for name in answers}


@pytest.mark.parametrize("interface", ["wsgi", "asgi"], ids=["def", "async def"])
def test_def_views_of_django_over_asgi_leave_its_loop_alone(interface):
    loops = []

    def where(request):
        loops.append(running_loop())
        return "Hello"

    def views():
        return {"text": view(in_style("def" if interface == "wsgi" else "async def", where))}

    with asking_views(apps.django_asgi, views) as ask_app:
        assert ask_app("GET", "/text", {}, b"")[0] == 200
    assert [loop is not None for loop in loops] == [interface == "asgi"]


def test_falcon_sends_all_lines_of_a_field():
    apps.need(apps.falcon_wsgi)
    from falcon.testing import TestClient

    @view
    def linked(request):
        return Response("", headers=[("link", "</a>; rel=next"), ("link", "</b>; rel=prev")])

    app = apps.falcon_wsgi()
    app.add_route("/linked", type("Resource", (), {"on_get": staticmethod(linked)})())
    assert TestClient(app).simulate_get("/linked").headers["link"] == "</a>; rel=next, </b>; rel=prev"
