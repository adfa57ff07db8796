"""Helpers of views: redirects and errors; root paths."""

import sys

import pytest

from antiphon.dialects.flask import Flask, abort, redirect
from antiphon.dialects.flask.helpers import get_root_path
from antiphon.dialects.werkzeug.exceptions import NotFound
from antiphon.dialects.werkzeug.wrappers import Response as WerkzeugResponse


def test_the_application_makes_redirects_and_errors():
    app = Flask(__name__)
    app.redirect = lambda location, code: (location, code)
    app.aborter = lambda code, *args: (_ for _ in ()).throw(KeyError(code))
    with app.app_context():
        assert redirect("/x", code=307) == ("/x", 307)
        assert isinstance(redirect("/x", Response=WerkzeugResponse), WerkzeugResponse)
        with pytest.raises(KeyError):
            abort(404)
    with pytest.raises(NotFound):
        abort(404)


def test_root_path_of_a_module(tmp_path, monkeypatch):
    (tmp_path / "root_of_one.py").write_text("")
    (tmp_path / "root_of_many").mkdir()
    (tmp_path / "root_of_many" / "__init__.py").write_text("")
    (tmp_path / "root_of_none").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir("/")
    assert get_root_path("root_of_one") == str(tmp_path)
    assert get_root_path("root_of_many") == str(tmp_path / "root_of_many")
    assert get_root_path("there_is_no_such_module") == "/"
    with pytest.raises(RuntimeError, match="root_of_none"):
        get_root_path("root_of_none")
    assert "root_of_one" not in sys.modules
