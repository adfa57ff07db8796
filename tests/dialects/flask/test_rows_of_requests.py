"""What a view reads of its request beyond what clients see of it, and its limits."""

import pytest

from antiphon.dialects.flask import Flask, request
from tests.helpers.request_bodies import FORM_DATA, form_data
from tests.helpers.rows import rows

pytestmark = pytest.mark.once


def make_app():
    app = Flask(__name__)
    app.testing = True
    return app


def parts(*sizes):
    fields = [(f"f{number}", None, b"x" * size) for number, size in enumerate(sizes)]
    return {"data": form_data(*fields), "content_type": FORM_DATA}


PLAIN = {"data": b"x" * 1000, "content_type": "text/plain"}
URLENCODED = {"data": b"a=" + b"x" * 1000, "content_type": "application/x-www-form-urlencoded"}


@pytest.mark.feature("flask-039", "flask-040", "flask-041")
@rows(
    "setting, limit, sent, status",
    ("MAX_CONTENT_LENGTH", None, PLAIN, 200),
    ("MAX_CONTENT_LENGTH", 1000, PLAIN, 200),
    ("MAX_CONTENT_LENGTH", 999, PLAIN, 413),
    ("MAX_CONTENT_LENGTH", 999, URLENCODED, 413),
    ("MAX_FORM_MEMORY_SIZE", 999, URLENCODED, 200),
    ("MAX_FORM_MEMORY_SIZE", 1000, parts(500, 500), 200),
    ("MAX_FORM_MEMORY_SIZE", 999, parts(500, 500), 413),
    ("MAX_FORM_PARTS", 3, parts(1, 1, 1), 200),
    ("MAX_FORM_PARTS", 2, parts(1, 1, 1), 413),
)
def test_limits_of_the_application(setting, limit, sent, status):
    app = make_app()
    app.config[setting] = limit
    app.add_url_rule("/", view_func=lambda: str([request.form, request.get_data()]), endpoint="i", methods=["POST"])
    assert app.test_client().post("/", **sent).status_code == status


@pytest.mark.feature("flask-042")
@rows("own, status", [(1000, 200), (999, 413), (None, 413)])
def test_a_view_has_a_limit_of_its_own(own, status):
    app = make_app()
    app.config["MAX_CONTENT_LENGTH"] = 500

    @app.post("/upload")
    def upload():
        request.max_content_length = own
        return str(len(request.get_data()))

    @app.post("/other")
    def other():
        return str(len(request.get_data()))

    client = app.test_client()
    assert client.post("/upload", **PLAIN).status_code == status
    assert client.post("/other", **PLAIN).status_code == 413
