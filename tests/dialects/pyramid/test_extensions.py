"""Practices of Pyramid's extensions: views behind decorators, and a router in place of the usual one."""

from functools import wraps

import pytest
from zope.interface import Interface

from antiphon.dialects.pyramid import testing
from antiphon.dialects.pyramid.config import Configurator
from antiphon.dialects.pyramid.path import AssetResolver
from antiphon.dialects.pyramid.request import Request
from antiphon.dialects.pyramid.response import Response
from tests.dialects.pyramid.beside import DIALECT, PYRAMID, Package
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


@rows("name", [PYRAMID, DIALECT])
def test_a_view_that_a_program_finds_by_itself_says_how_it_was_added(name):
    package = Package(name)

    def found(*methods):
        with package.configurator() as config:
            for method in methods:
                config.add_view(lambda request: None, request_method=method)
        kinds = [package.interfaces.IViewClassifier, package.interfaces.IRequest, Interface]
        return config.registry.adapters.lookup(kinds, package.interfaces.IView)

    request = package.testing.DummyRequest(method="PUT")
    one, another = (found(*methods).__discriminator__(None, request).resolve() for methods in (["PUT"], ["GET", "PUT"]))
    assert one == another
    assert one[0] == "view"
