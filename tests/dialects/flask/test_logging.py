"""The logger of an application, beside Flask's."""

import io
import logging
import sys

import pytest
from werkzeug.test import Client

from tests.dialects.flask.beside import BOTH, Package

pytestmark = pytest.mark.once


@pytest.fixture(params=BOTH)
def package(request):
    return Package(request.param)


@pytest.fixture(autouse=True)
def _own_loggers(monkeypatch):
    """Loggers that know nothing of the handlers which pytest adds to the root."""
    top, logger = logging.Logger("top"), logging.Logger("top.app")
    logger.parent = top
    monkeypatch.setitem(logging.root.manager.loggerDict, "top", top)
    monkeypatch.setitem(logging.root.manager.loggerDict, "top.app", logger)


def test_writes_to_the_stream_of_the_request(package):
    app = package.Flask("top.app")
    errors = io.StringIO()

    @app.route("/")
    def index():
        app.logger.error("wrong")
        return ""

    Client(app).get("/", errors_stream=errors)
    assert errors.getvalue().endswith("ERROR in test_logging: wrong\n")
    assert package.module("logging").wsgi_errors_stream._get_current_object() is sys.stderr


def test_has_a_handler_where_there_is_none(package):
    handler = package.module("logging").default_handler
    assert package.Flask("top.app").logger.handlers == [handler]
    assert package.Flask("top.app").logger.handlers == [handler]


@pytest.mark.parametrize("where", ["top", "top.app"])
def test_has_no_handler_where_another_writes(package, where):
    other = logging.StreamHandler()
    logging.getLogger(where).addHandler(other)
    assert package.Flask("top.app").logger.handlers == ([other] if where == "top.app" else [])


def test_writes_everything_in_debug(package):
    app = package.Flask("top.app")
    app.debug = True
    assert app.logger.level == logging.DEBUG
    assert app.logger.name == "top.app"


@pytest.mark.parametrize(("level", "propagates", "is_found"), [
    (logging.NOTSET, True, True), (logging.NOTSET, False, False), (logging.CRITICAL, True, False),
])  # fmt: skip
def test_finds_handlers_up_to_where_records_go(package, level, propagates, is_found):
    child = logging.getLogger("top.app")
    child.setLevel(logging.INFO)
    child.propagate = propagates
    parent = logging.StreamHandler()
    parent.setLevel(level)
    logging.getLogger("top").addHandler(parent)
    has_level_handler = package.module("logging").has_level_handler
    assert has_level_handler(child) is is_found
    child.addHandler(logging.NullHandler())
    assert has_level_handler(child)
