"""Practices of Pyramid's extensions: views behind decorators, and a router in place of the usual one."""

from functools import wraps
from inspect import signature

import pytest

from antiphon.dialects.pyramid import config as configuration
from antiphon.dialects.pyramid import router, testing
from antiphon.dialects.pyramid.config import Configurator
from antiphon.dialects.pyramid.path import AssetResolver
from antiphon.dialects.pyramid.request import Request
from antiphon.dialects.pyramid.response import Response
from antiphon.dialects.pyramid.util import takes_one_arg
from antiphon.testing import Client
from tests.helpers.rows import rows


def answer(view):
    with Configurator() as config:
        config.add_view(view)
    return Request.blank("/").get_response(config.make_wsgi_app()).text


def with_arguments(view):
    @wraps(view)
    def wrapper(request, *args, **kwargs):
        return view(request, {"read": "arguments"}, *args, **kwargs)

    return wrapper


def of_class(view):
    @wraps(view)
    def wrapper(request):
        return view(Views(request))

    return wrapper


class Views:
    def __init__(self, request):
        self.request = request

    def index(self):
        return Response(self.request.path)


@rows(
    "view, text",
    pytest.param(with_arguments(lambda request, args: Response(args["read"])), "arguments", id="more arguments"),
    pytest.param(of_class(Views.index), "/", id="a method of a class"),
)
def test_a_view_that_wraps_another_one_is_called_with_what_it_takes_itself(view, text):
    assert answer(view) == text


def test_the_router_may_be_replaced_in_the_configuration(monkeypatch):
    made = []
    router = configuration.Router
    monkeypatch.setattr(configuration, "Router", lambda registry: made.append(registry) or router(registry))
    assert answer(lambda request: Response("found")) == "found"
    assert len(made) == 1


def test_a_package_stands_for_another_one(tmp_path, monkeypatch):
    for name in ("plain_theme", "dark_theme"):
        (tmp_path / name / "page").mkdir(parents=True)
        (tmp_path / name / "__init__.py").touch()
        (tmp_path / name / "page" / "head.txt").write_text(name)
    monkeypatch.syspath_prepend(tmp_path)
    resolver = AssetResolver()
    found = []
    for instead in ("dark_theme", "dark_theme:", f"{tmp_path}/dark_theme"):
        with testing.testConfig() as config:
            config.override_asset("plain_theme", instead)
            with resolver.resolve("plain_theme:page/head.txt").stream() as stream:
                found.append(stream.read())
    assert found == [b"dark_theme"] * 3


def test_a_function_takes_one_argument_whichever_method_is_asked_for():
    assert takes_one_arg(lambda request: None, attr="index")
    assert not takes_one_arg(lambda context, request: None, attr="index")


class Bound:
    """A wrapper as New Relic's: it passes all arguments on, and goes by the application to which it is bound."""

    def __init__(self, call):
        self.__wrapped__ = call
        self.__signature__ = signature(call)

    def __call__(self, *args):
        raise TypeError("without the application")

    def __get__(self, instance, owner):
        def traced(environ, start_response, *others):
            environ["trace"] = "7"
            return self.__wrapped__(instance, environ, start_response, *others)

        return self if instance is None else traced


@rows("interface", ["wsgi", "asgi", "rsgi"])
def test_what_monitoring_tools_replace_is_called_once_for_each_request(interface, monkeypatch):
    own, own_view, requests = router.Router.__call__, router._call_view, []
    monkeypatch.setattr(
        router, "_call_view", lambda *args, **options: requests.append(args[1]) or own_view(*args, **options)
    )
    monkeypatch.setattr(router.Router, "__call__", Bound(own))
    with Configurator() as config:
        config.add_route("trace", "/trace")
        config.add_view(lambda request: Response(request.environ["trace"]), route_name="trace")
    with Client(config.make_wsgi_app(), interface) as client:
        assert client.get("/trace").text == "7"
    assert [request.path for request in requests] == ["/trace"]
    monkeypatch.undo()
    assert router.Router.__call__ is own
