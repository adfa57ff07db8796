"""Errors and explanations for debugging an application."""

import logging

import pytest
from jinja2 import DictLoader, FileSystemLoader
from werkzeug.test import Client

from antiphon.dialects.flask import Blueprint, Flask, request
from antiphon.dialects.flask.debughelpers import (
    DebugFilesKeyError,
    FormDataRoutingRedirect,
    explain_template_loading_attempts,
)
from tests.helpers.rows import rows

pytestmark = pytest.mark.once


def make_app():
    app = Flask(__name__)
    app.debug = True

    @app.post("/upload")
    def upload():
        return request.files["file"].filename

    return app


@pytest.fixture
def app():
    return make_app()


def test_a_form_without_files_is_named(app):
    with pytest.raises(DebugFilesKeyError, match="'application/x-www-form-urlencoded'") as raised:
        Client(app).post("/upload", data={"file": "a.txt"})
    assert 'enctype="multipart/form-data"' in str(raised.value)
    assert "names in place of files: 'a.txt'" in str(raised.value)
    assert isinstance(raised.value, KeyError)


@rows("debug, data", [(True, {"other": "a"}), (False, {"file": "a.txt"})])
def test_any_other_missing_file_is_a_bad_request(debug, data):
    app = make_app()
    app.debug = debug
    app.config["TRAP_BAD_REQUEST_ERRORS"] = False
    assert Client(app).post("/upload", data=data).status_code == 400


def test_a_redirect_that_drops_the_form_is_an_error_in_debug(app):
    from antiphon.dialects.werkzeug.routing import RequestRedirect

    class Dropping(RequestRedirect):
        code = 302

    class Own(Flask):
        def raise_routing_exception(self, request):
            request.routing_exception = Dropping(request.routing_exception.new_url)
            return super().raise_routing_exception(request)

    own = Own(__name__)
    own.debug = True
    own.add_url_rule("/slash/", "slash", lambda: "", methods=["GET", "POST"])
    with pytest.raises(FormDataRoutingRedirect, match="'http://localhost/slash/', since the rule ends with a slash"):
        Client(own).post("/slash")


@rows("found, said", [
    ((False, False), "No loader has the template."), ((True, False), None), ((True, True), "2 loaders have the temp"),
])  # fmt: skip
def test_the_places_of_a_template_are_logged(found, said, caplog):
    app = make_app()
    blueprint = Blueprint("parts", "parts.views", root_path=".")
    loaders = [FileSystemLoader(["first", "second"]), DictLoader({"page.html": ""})]
    attempts = [
        (loader, owner, ("", "page.html" if has else None, None) if has else None)
        for loader, owner, has in zip(loaders, (app, blueprint), found, strict=True)
    ]
    with caplog.at_level(logging.INFO, app.logger.name):
        explain_template_loading_attempts(app, "page.html", attempts)
    text = caplog.text
    assert "the loader of the application 'tests.dialects.flask.test_debughelpers'" in text
    assert "the loader of the blueprint 'parts' of parts.views" in text
    assert "class: jinja2.loaders.FileSystemLoader" in text
    assert "  - second" in text
    assert text.count("-> found: 'page.html'") == sum(found)
    assert said is None or said in text
