"""Files beside an application."""

import os
import sys
import zipfile

import pytest
import werkzeug.middleware.shared_data

from antiphon.dialects.werkzeug.middleware import shared_data
from tests.dialects.werkzeug.environs import called
from tests.helpers.rows import rows

MOMENT = 1_600_000_000


@pytest.fixture
def folder(tmp_path):
    for name, content in (("site.css", b"body {}"), ("deep/data.zzz", b"0123456789"), ("secret.key", b"no")):
        path = tmp_path / "static" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (MOMENT, MOMENT))
    (tmp_path / "outside.txt").write_text("no")
    return tmp_path / "static"


def ask(middleware, path, **environ):
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": path, "wsgi.url_scheme": "http", "HTTP_HOST": "x", **environ}
    status, headers, content = called(middleware, environ)
    assert all(name == name.title() for name, _ in headers)  # as Werkzeug spells them
    return status, {name.lower(): value for name, value in headers}, content


def application(environ, start_response):
    start_response("404 NOT FOUND", [])
    return [b"application"]


EITHER = rows("library", [werkzeug.middleware.shared_data, shared_data], ids=["werkzeug", "antiphon"])


def serving(library, folder):
    exports = {"/static": str(folder), "/one.css": str(folder / "site.css"), "/": str(folder / "deep")}
    return library.SharedDataMiddleware(application, exports, disallow="*.key")


@EITHER
@rows(
    "path",
    "/", "/static", "/static/", "/static/deep", "/static/no", "/static/../outside.txt", "/static/secret.key",
    "/staticx",
)  # fmt: skip
def test_what_is_no_file_is_the_applications(library, folder, path):
    assert ask(serving(library, folder), path)[::2] == ("404 NOT FOUND", b"application")


@EITHER
def test_a_client_that_has_it_is_told_so(library, folder):
    middleware = serving(library, folder)
    etag = ask(middleware, "/static/site.css")[1]["etag"]
    status, headers, body = ask(middleware, "/static/site.css", HTTP_IF_NONE_MATCH=etag)
    assert (status.upper(), body, headers["etag"]) == ("304 NOT MODIFIED", b"", etag)


@EITHER
def test_caching_can_be_declined(library, folder):
    middleware = library.SharedDataMiddleware(application, [("/s", str(folder))], cache=False, fallback_mimetype="x/y")
    _, headers, _ = ask(middleware, "/s/deep/data.zzz")
    assert (headers["cache-control"], headers["content-type"]) == ("public", "x/y")
    assert not headers.keys() & {"etag", "expires"}


def test_packages_have_files_too(tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "archive.zip", "w") as archive:
        archive.writestr("zipped_app/__init__.py", "")
        archive.writestr("zipped_app/data/a.txt", "zipped")
    package = tmp_path / "plain_app"
    (package / "data").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "data" / "a.txt").write_text("plain")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.syspath_prepend(tmp_path / "archive.zip")
    for name, content in (("plain_app", b"plain"), ("zipped_app", b"zipped")):
        middleware = shared_data.SharedDataMiddleware(application, {"/s": (name, "data")})
        _, headers, body = ask(middleware, "/s/a.txt")
        assert (headers.get("x-content-type-options"), body) == (None, content)
        assert ask(middleware, "/s/../__init__.py")[2] == b"application"
        sys.modules.pop(name, None)


@EITHER
def test_an_export_of_another_kind_is_an_error(library):
    with pytest.raises(TypeError):
        library.SharedDataMiddleware(application, {"/s": 5})
