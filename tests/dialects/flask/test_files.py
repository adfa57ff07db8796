"""Uploads, downloads and static files."""

from io import BytesIO, StringIO

import pytest

from antiphon.dialects.flask import Blueprint, Flask, request, send_file, send_from_directory
from antiphon.dialects.flask.testing import FlaskClient
from antiphon.testing import Client
from tests.helpers.rows import rows


def make_app(tmp_path):
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "a b.txt").write_text("text")
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "site.css").write_text("body {}")
    app = Flask("files", root_path=str(tmp_path))

    @app.route("/files/<path:name>")
    def file(name):
        return send_from_directory("files", name, as_attachment="download" in request.args)

    return app


@pytest.fixture
def app(tmp_path):
    return make_app(tmp_path)


class ClosingClient(FlaskClient):
    """A client whose answers are complete, so that no file stays open."""

    def open(self, *args, **kwargs):
        return super().open(*args, **{"buffered": True, **kwargs})


def make_client(app):
    app.test_client_class = ClosingClient
    return app.test_client()


@pytest.fixture
def client(app):
    return make_client(app)


@pytest.mark.feature("flask-078")
@rows("name", ["../secret.txt", "none.txt", "", ".", "%2e%2e/secret.txt", "..%5csecret.txt"])
def test_names_that_lead_elsewhere_are_not_found(client, name):
    assert client.get(f"/files/{name}").status_code == 404


@rows(
    "file, options, error",
    (StringIO("text"), {"mimetype": "text/plain"}, ValueError),
    (BytesIO(b""), {}, TypeError),
    (BytesIO(b""), {"mimetype": "text/plain", "as_attachment": True}, TypeError),
    ("none.txt", {}, FileNotFoundError),
)
def test_what_can_t_be_sent(app, file, options, error):
    with app.test_request_context(), pytest.raises(error):
        send_file(file, **options)


def test_static_files_of_application_and_blueprint(app, client, tmp_path):
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "a.js").write_text("1")
    app.register_blueprint(Blueprint("part", "part", root_path=str(tmp_path), static_folder="assets", url_prefix="/p"))
    assert client.get("/static/site.css").text == "body {}"
    assert client.get("/p/assets/a.js").text == "1"
    assert client.get("/static/../secret.txt").status_code == 404
    assert client.get("/static/none.css").status_code == 404
    assert client.post("/static/site.css").status_code == 405


@rows("interface", ["wsgi", "asgi", "rsgi"])
@rows("start, rest", [(0, b"0123456789"), (4, b"456789"), (10, b""), (99, b"")])
def test_a_file_in_memory_is_sent_from_its_position_on(tmp_path, interface, start, rest):
    app = make_app(tmp_path)

    def rest_of_file():
        file = BytesIO(b"0123456789")
        file.seek(start)
        return send_file(file, mimetype="text/plain")

    app.add_url_rule("/rest", "rest", rest_of_file)
    with Client(app, interface) as client:
        whole = client.get("/rest")
        assert (whole.status, whole.body, whole.headers["content-length"]) == (200, rest, str(len(rest)))
        last = client.get("/rest", headers={"range": "bytes=-2"})
        first = client.get("/rest", headers={"range": "bytes=0-1"})
    if rest:  # of nothing there is no part
        assert (last.status, last.body, first.status, first.body) == (206, rest[-2:], 206, rest[:2])
        assert first.headers["content-range"] == f"bytes 0-1/{len(rest)}"
