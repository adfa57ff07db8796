"""Methods, types of parameters, and the interface "auto", in views that are registered as a framework does it."""

import pytest

from antiphon import view
from tests.frameworks import apps
from tests.frameworks.exchanges import EXCHANGES, asking_views
from tests.frameworks.views import PATHS

pytestmark = [pytest.mark.usefixtures("quiet"), pytest.mark.filterwarnings("ignore::DeprecationWarning")]

EVERYWHERE = pytest.mark.parametrize("make", [*apps.WSGI, *apps.ASGI, *apps.SERVED])
WITH_PARAMETERS = [
    make
    for make in (*apps.WSGI, *apps.ASGI, *apps.SERVED)
    if make not in (apps.django_wsgi, apps.django_asgi, apps.fastapi, apps.litestar)
]
"""FastAPI and Litestar convert parameters themselves."""


@EVERYWHERE
def test_a_view_refuses_other_methods(make):
    called = []

    def only(request):
        called.append(request.method)
        return "Hello"

    views = lambda interface=None: {"only": view(methods=("post",), interface=interface)(only)}  # noqa: E731
    with asking_views(make, views) as ask:
        status, fields, _ = ask("GET", "/only", {"accept": "application/json"}, b"")
        assert (status, dict(fields)["allow"], called) == (405, "OPTIONS, POST", [])
        assert ask("POST", "/only", {"content-type": "text/plain"}, b"hi")[::2] == (200, "Hello")


@EVERYWHERE
def test_one_view_is_what_each_framework_wants(make):
    statuses = {"json": 201, "wrong field": 422, "stream": 200, "events": 200, "error": 409}
    views = {name: view(interface="auto")(each) for name, each in PATHS.items()}
    with asking_views(make, lambda interface=None: views) as ask:
        assert {name: ask(*EXCHANGES[name])[0] for name in statuses} == statuses


@pytest.mark.parametrize("make", WITH_PARAMETERS)
def test_a_parameter_has_the_type_of_its_annotation(make):
    def item(request, name: int):
        return {"next": name + 1, "same": request.path_params["name"] == name}

    with asking_views(make, lambda interface=None: {"item": view(interface=interface)(item)}) as ask:
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
