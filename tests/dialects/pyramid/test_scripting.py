"""Applications in programs that answer no requests, by files of settings, and as parts of others, beside Pyramid."""

import logging
import sys
import warnings

import pytest

from tests.dialects.pyramid.beside import DIALECT, PYRAMID, Package, assert_alike
from tests.helpers.rows import rows

OURS, THEIRS = Package(DIALECT), Package(PYRAMID)


def made_with(p, **settings):
    with p.configurator(settings=settings, root_factory=lambda request: ["root", request.path]) as config:
        config.add_request_method(lambda request: "added", "added", property=True)
        config.add_view(lambda request: p.response.Response("hello"))
        return config.make_wsgi_app()


@rows("given", [None, "/there"])
def test_an_application_is_current_until_it_is_closed(given):
    def shown(p):
        app = made_with(p)
        request = given and p.request.Request.blank(given)
        env = p.scripting.prepare(request=request, registry=app.registry)
        ended = []
        env["request"].add_finished_callback(lambda request: ended.append(request.path))
        found = [
            env["root"], env["request"].context, env["request"].added, env["request"].path, sorted(env),
            p.threadlocal.get_current_request() is env["request"], p.threadlocal.get_current_registry() is app.registry,
            env["root_factory"](env["request"]),
        ]  # fmt: skip
        env["closer"]()
        return [*found, ended, p.threadlocal.get_current_request()]

    assert shown(OURS) == shown(THEIRS)


def test_the_last_application_is_meant():
    app = made_with(OURS)
    with OURS.scripting.prepare() as env:
        assert env["registry"] is app.registry
        assert OURS.threadlocal.get_current_registry() is app.registry
    assert OURS.threadlocal.get_current_registry() is not app.registry
    root, close = OURS.scripting.get_root(app)
    assert root == ["root", "/"]
    assert OURS.threadlocal.get_current_registry() is app.registry
    close()
    assert OURS.threadlocal.get_current_registry() is not app.registry


def test_without_an_application_nothing_is_current(monkeypatch):
    from antiphon.dialects.pyramid import scripting

    monkeypatch.setattr(scripting, "global_registries", OURS.util.WeakOrderedSet())
    with pytest.raises(OURS.exceptions.ConfigurationError, match="No valid Pyramid applications"):
        scripting.prepare()


INI = """\
[app:main]
use = call:{name}:main
color = %(shade)s
pyramid.reload_templates = true
[loggers]
keys = root, shop
[handlers]
keys =
[formatters]
keys =
[logger_root]
handlers =
[logger_shop]
level = DEBUG
qualname = shop_by_file
handlers =
"""
SHADE = {"shade": "red"}
APP = """\
from {package}.config import Configurator
from {package}.response import Response


def main(global_config, **settings):
    config = Configurator(settings=settings)
    config.add_view(lambda request: Response(request.registry.settings["color"]))
    return config.make_wsgi_app()
"""


@pytest.fixture
def file(tmp_path, monkeypatch):
    """The path of a file of settings, and its application, which is one of the dialect."""
    name = "shop_by_file"
    (tmp_path / f"{name}.py").write_text(APP.format(package=DIALECT))
    (tmp_path / "development.ini").write_text(INI.format(name=name))
    monkeypatch.syspath_prepend(str(tmp_path))
    yield str(tmp_path / "development.ini")
    sys.modules.pop(name, None)


def test_an_application_is_made_by_its_file(file):
    paster = OURS.paster
    get = OURS.request.Request.blank("/")
    assert get.get_response(paster.get_app(f"{file}#main", options={"shade": "blue"})).text == "blue"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert paster.get_appsettings(file, "main", SHADE) == THEIRS.paster.get_appsettings(file, "main", SHADE)
    with paster.bootstrap(file, options={"shade": "green"}) as env:
        assert env["registry"].settings["color"] == "green"
        assert env["app"].registry is env["registry"]
        assert OURS.threadlocal.get_current_registry() is env["registry"]
    with pytest.raises(LookupError):
        paster.get_app(f"{file}#missing")


def test_logging_is_configured_by_the_file(file):
    root = logging.getLogger()
    before = root.handlers[:], root.level
    try:
        OURS.paster.setup_logging(file)
        assert logging.getLogger("shop_by_file").level == logging.DEBUG
    finally:
        root.handlers[:], level = before
        root.setLevel(level)


def test_no_package_of_setuptools_is_needed():
    for name in ("paster", "static", "testing", "scripting"):
        getattr(OURS, name)
    source = [module for name, module in sys.modules.items() if name.startswith(DIALECT) and module]
    assert not [module for module in source if "pkg_resources" in vars(module)]


def mounted(p):
    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain"), ("X-Name", environ["SCRIPT_NAME"])])
        return [environ["PATH_INFO"].encode("latin-1"), b" ", environ["SCRIPT_NAME"].encode("latin-1")]

    class App:
        def __call__(self, environ, start_response):
            return app(environ, start_response)

    with p.configurator() as config:
        config.add_route("whole", "/whole/*subpath")
        config.add_view(p.wsgi.wsgiapp(app), route_name="whole")
        config.add_route("part", "/part/*subpath")
        config.add_view(p.wsgi.wsgiapp2(App()), route_name="part")
        return config.make_wsgi_app()


def test_wsgi_applications_are_views():
    assert_alike(
        mounted, [f"/{name}{rest}" for name in ("whole", "part") for rest in ("/", "/a/b", "/a/b/", "/%C3%A4")]
    )
    for make in (OURS.wsgi.wsgiapp, OURS.wsgi.wsgiapp2):
        assert make(made_with).__name__ == "made_with"
        with pytest.raises(ValueError, match="can not be None"):
            make(None)
