"""Methods, types of parameters, and the interface "auto", in views that are registered as a framework does it."""

from contextlib import ExitStack

import pytest

from antiphon import view
from tests.frameworks import apps
from tests.frameworks.exchanges import EXCHANGES, ask, ask_by_socket, served
from tests.frameworks.servers import START
from tests.frameworks.views import PATHS
from tests.helpers.rows import rows

pytestmark = [pytest.mark.usefixtures("quiet"), pytest.mark.filterwarnings("ignore::DeprecationWarning")]

EVERYWHERE = pytest.mark.parametrize("make", [*apps.WSGI, *apps.ASGI, *apps.SERVED])
WITH_PARAMETERS = [
    make
    for make in (*apps.WSGI, *apps.ASGI, *apps.SERVED)
    if make not in (apps.django_wsgi, apps.django_asgi, apps.fastapi, apps.litestar)
]
"""FastAPI and Litestar convert parameters themselves."""


@pytest.fixture
def asking(make, monkeypatch):
    """A function that makes the application with views, and returns one that sends requests to it."""
    with ExitStack() as stack:

        def asking(views):
            app = apps.application(make, views, monkeypatch, stack)
            if make in (*apps.SERVED, apps.sanic):
                port = stack.enter_context(served(lambda: START[make.__name__](app)))
                return lambda *exchange: ask_by_socket(port, *exchange)
            return lambda *exchange: ask(app, "wsgi" if make in apps.WSGI else "asgi", *exchange)

        yield asking


@EVERYWHERE
def test_a_view_refuses_other_methods(asking):
    called = []

    def only(request):
        called.append(request.method)
        return "Hello"

    ask = asking(lambda interface=None: {"only": view(methods=("post",), interface=interface)(only)})
    status, fields, _ = ask("GET", "/only", {"accept": "application/json"}, b"")
    assert (status, dict(fields)["allow"], called) == (405, "OPTIONS, POST", [])
    assert ask("POST", "/only", {"content-type": "text/plain"}, b"hi")[::2] == (200, "Hello")


@EVERYWHERE
def test_one_view_is_what_each_framework_wants(asking):
    ask = asking(lambda interface=None: {name: view(interface="auto")(each) for name, each in PATHS.items()})

    @rows("name, status", [("json", 201), ("wrong field", 422), ("stream", 200), ("events", 200), ("error", 409)])
    def is_answered(name, status):
        assert ask(*EXCHANGES[name])[0] == status

    is_answered()


@pytest.mark.parametrize("make", WITH_PARAMETERS)
def test_a_parameter_has_the_type_of_its_annotation(asking):
    def item(request, name: int):
        return {"next": name + 1, "same": request.path_params["name"] == name}

    ask = asking(lambda interface=None: {"item": view(interface=interface)(item)})
    assert ask("GET", "/item/41", {}, b"")[2] == '{"next":42,"same":true}'
    for misfit in ("seven", "-1", "1.5", "9" * 30):
        assert ask("GET", f"/item/{misfit}", {}, b"")[0] == 404


def test_a_framework_that_looks_at_a_view_sees_what_it_wants():
    from inspect import iscoroutinefunction, isfunction, signature

    @view(interface="auto")
    def page(request, name: str): ...

    @view(interface="auto")
    async def apage(request, name: str): ...

    def looking(package, look):
        namespace = {"__name__": f"{package}.app", "look": look}
        exec("def seen(made): return look(made)", namespace)
        return [namespace["seen"](made) for made in (page, apage)]

    for package in ("aiohttp", "litestar", "quart"):
        assert looking(package, iscoroutinefunction) == [True, True]
    for package in ("flask", "falcon", "starlette", "mine"):
        assert looking(package, iscoroutinefunction) == [False, False]
    assert looking("starlette", isfunction) == [True, True]
    assert looking("falcon", isfunction) == looking("mine", isfunction) == [False, False]
    assert [*signature(page).parameters] == ["request", "name"]
