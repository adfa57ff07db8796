"""A folder as a route: what it answers over each interface, and the URLs that lead to it."""

import hashlib
import os
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from antiphon import App, Blueprint
from antiphon.app.static_files import READ_AT_ONCE
from antiphon.testing import Client
from antiphon.testing.errors import BrokenResponse, ContractError
from tests.contract.process import ServerProcess
from tests.contract.servers import SERVERS
from tests.contract.wire import Closed, SentRequest
from tests.helpers.rows import rows
from tests.helpers.served.files import FOLDER

pytestmark = [pytest.mark.once, pytest.mark.axes("interface")]

CSS = b"body { color: teal }"
SECRET = b"nobody may read this"
DIGEST = hashlib.sha256(CSS).hexdigest()[:12]
FOREVER = "public, max-age=31536000, immutable"


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "static"
    write(root / "css/site.css", CSS)
    write(root / "café/größe 1.txt", b"1")
    write(root / ".env", SECRET)
    write(tmp_path / "secret.txt", SECRET)
    (root / "out").symlink_to("..")
    return root


@pytest.fixture
def app(root):
    app = App()
    app.static("/static", root)
    return app


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (time.time() - 100,) * 2)


def once(client, root, monkeypatch):
    client.get("/static/css/site.css")


def long_ago(client, root, monkeypatch):
    monkeypatch.setattr("antiphon.app.static_files.RECENT", 0.0)
    client.get("/static/css/site.css")


def in_another_coding(client, root, monkeypatch):
    client.get("/static/css/site.css", headers={"accept-encoding": "gzip"})


def in_part(client, root, monkeypatch):
    client.get("/static/css/site.css", headers={"range": "bytes=0-1"})


def slowly(client, root, monkeypatch):
    monkeypatch.setattr("antiphon.app.static_files.SLOW", 0.0)
    for _ in range(2):  # on a thread, then on the loop
        client.get("/static/css/site.css")


async def to_nothing(request):
    pass


READ_BEFORE = {once: True, long_ago: False, in_another_coding: False, in_part: False, slowly: False}
"""Whether the loop reads a file that was read before in this way."""


NAVIGATION = {"sec-fetch-mode": "navigate", "accept": "text/html,*/*;q=0.8"}
BY_SCRIPT = {"sec-fetch-mode": "cors", "accept": "*/*"}


@rows(
    "path, headers, status, body",
    ("/", NAVIGATION, 200, b"<!doctype html>"),
    ("/", {}, 200, b"<!doctype html>"),
    ("/users/7", NAVIGATION, 200, b"<!doctype html>"),
    ("/users/7/", NAVIGATION, 200, b"<!doctype html>"),
    ("/users/7", {"accept": "text/html"}, 200, b"<!doctype html>"),  # an old browser, or over http
    ("/users/7", BY_SCRIPT, 404, None),
    ("/users/7", BY_SCRIPT | {"accept": "text/html"}, 404, None),
    ("/users/7", {}, 404, None),
    ("/.env", NAVIGATION, 404, None),
    ("/api/lamps", NAVIGATION, 200, b"lamps"),
    ("/api/none", BY_SCRIPT, 404, None),
    ("/css/site.css", NAVIGATION, 200, CSS),
    ("/docs/none", NAVIGATION, 404, None),  # another folder, below a prefix
)
def test_a_folder_at_the_root_may_be_a_single_page_app(root, serving, path, headers, status, body):
    write(root / "index.html", b"<!doctype html>")
    app = App()
    app.get("/api/lamps")(lambda request: b"lamps")
    app.static("/docs", root, name="docs")
    app.static("/", root)
    response = serving(app).get(path, headers=headers)
    assert (response.status, response.body if status == 200 else None) == (status, body)
    assert status == 200 or "text/html" in headers.get("accept", "") or "problem+json" in response.content_type
    if path == "/users/7":
        assert {"sec-fetch-mode", "accept"} <= set(response.headers["vary"].lower().split(", "))


def test_a_folder_at_the_root_with_a_page_for_404_is_no_single_page_app(root, serving):
    for name in ("index.html", "404.html"):
        write(root / name, b"<!doctype html>")
    app = App()
    app.static("/", root)
    client = serving(app)
    assert [client.get(path, headers=NAVIGATION).status for path in ("/", "/users/7")] == [200, 404]


class TestItsAnswers:
    def test_are_its_files(self, app, serving):
        response = serving(app).get("/static/css/site.css")
        assert (response.status, response.body) == (200, CSS)
        assert response.content_type == "text/css; charset=utf-8"
        assert response.headers["cache-control"] == "no-cache"
        assert serving(app).get("/static/caf%C3%A9/gr%C3%B6%C3%9Fe%201.txt").body == b"1"

    def test_to_head_have_no_body(self, app, serving):
        client = serving(app)
        head, got = client.head("/static/css/site.css"), client.get("/static/css/site.css")
        assert (head.status, head.body, head.headers["content-length"]) == (200, b"", str(len(CSS)))
        assert dict(head.headers.items()) == dict(got.headers.items())

    def test_come_from_a_thread_and_leave_as_files_if_they_are_large(self, root, seen):
        app, kinds, threads = App(), [], []
        app.static("/static", root, immutable=lambda name: threads.append(threading.current_thread()))

        async def noting(scope, receive, send):
            async def note(message):
                kinds.append(message["type"])
                await send(message)

            await app(scope, receive, note)

        client = Client(noting, "asgi", extra={"extensions": {"http.response.pathsend": {}}})

        @app.before_request
        async def loop(request):
            seen.append(threading.current_thread())

        assert client.get("/static/css/site.css").body == CSS
        assert kinds == ["http.response.start", "http.response.body"]
        (root / "large.bin").write_bytes(bytes(READ_AT_ONCE + 1))
        assert len(client.get("/static/large.bin").body) == READ_AT_ONCE + 1
        assert kinds[-1] == "http.response.pathsend"
        assert not {*seen}.intersection(threads)
        assert threads

    @pytest.mark.parametrize("read_before", READ_BEFORE)
    def test_come_from_the_loop_if_they_were_read_a_moment_ago(self, root, monkeypatch, read_before, seen):
        (root / "css/site.css.gz").write_bytes(b"GZ")
        app = App()
        app.static("/static", root, immutable=lambda name: seen.append(threading.current_thread()))

        @app.get("/loop")
        async def loop(request):
            return str(threading.get_ident())

        client = Client(app, "asgi")
        read_before(client, root, monkeypatch)
        seen.clear()
        write(root / "css/site.css", b"new")
        assert client.get("/static/css/site.css").body == b"new"
        assert [str(thread.ident) == client.get("/loop").text for thread in seen] == [READ_BEFORE[read_before]]

    @rows(
        "around, comes_from_loop",
        ("nothing", True), ("a hook", False), ("an error handler", False), ("a hook that runs there", True),
        ("a hook that blocks", False), ("an async hook", True),
    )  # fmt: skip
    def test_come_from_the_loop_unless_hooks_have_never_run_there(self, root, around, comes_from_loop):
        seen = []
        app = App()
        app.static("/static", root, immutable=lambda name: seen.append(threading.current_thread().name))
        if around == "an error handler":
            app.errorhandler(404)(lambda request, error: "none")
        elif around == "an async hook":
            app.before_request(to_nothing)
        elif around != "nothing":
            app.before_request(blocking=around == "a hook that blocks")(lambda request: None)
        if around in ("a hook that runs there", "a hook that blocks", "an async hook"):
            app.get("/")(to_nothing)
        client = Client(app, "asgi")
        for _ in range(2):
            assert client.get("/static/css/site.css").body == CSS
        assert (seen[0] != seen[1]) is comes_from_loop

    def test_break_off_when_the_file_has_gone_meanwhile(self, app, serving, root, caplog):
        (root / "large.bin").write_bytes(bytes(READ_AT_ONCE + 1))

        @app.after_request
        def remove(request, response):
            (root / "large.bin").unlink(missing_ok=True)

        client = serving(app, raise_errors=False)
        with suppress(BrokenResponse, ContractError):
            assert client.get("/static/large.bin").status == 500
        assert [record.levelname for record in caplog.records if record.name == "antiphon"] == ["ERROR"]
        assert client.get("/static/large.bin").status == 404

    def test_are_those_of_the_routes_where_they_are_more_particular(self, root, serving):
        app = App()
        app.static("/", root)
        app.get("/css/site.css", name="css")(lambda request: "route")
        client = serving(app)
        assert client.get("/css/site.css").text == "route"
        assert client.get("/caf%C3%A9/gr%C3%B6%C3%9Fe%201.txt").body == b"1"
        assert client.get("/missing").status == 404
        assert client.get("/").status == 404


class TestItsURLs:
    def test_go_on_working_when_the_file_has_changed(self, app, serving, root):
        client, old = serving(app), app.url_for("static", filename="css/site.css")
        client.get(old)
        write(root / "css/site.css", b"changed!")
        new = app.url_for("static", filename="css/site.css")
        assert new != old
        assert client.get(new).headers["cache-control"] == FOREVER
        response = client.get(old)
        assert (response.body, response.headers["cache-control"]) == (b"changed!", "no-cache")

    @rows("name", ["", "../secret.txt", "/css/site.css", "css//site.css", ".env", "a\\b", 3, b"a"])
    def test_are_not_made_for_what_is_never_served(self, app, name):
        with pytest.raises(ValueError, match=r"url_for 'static'.*parameter 'filename'"):
            app.url_for("static", filename=name)

    def test_have_no_hash_when_that_is_not_wanted(self, root):
        app = App()
        app.static("/static", root, hashes=False)
        assert app.url_for("static", filename="css/site.css") == "/static/css/site.css"


class TestRegistering:
    def test_with_blueprints(self, tmp_path, serving):
        app = App()
        app.static("/static", tmp_path)
        write(tmp_path / "a.txt", b"app")
        for name in ("shop", "blog"):
            write(tmp_path / name / "a.txt", name.encode())
            outer, inner = Blueprint(name, prefix=f"/{name}"), Blueprint("inner", prefix="/inner")
            inner.static("/static", tmp_path / name)
            outer.register(inner)
            outer.register(inner, name="again", prefix="/again")
            outer.get("/url")(lambda request: request.url_for(".inner.static", filename="a.txt"))
            app.register(outer)
        client = serving(app)
        assert client.get(app.url_for("static", filename="a.txt")).body == b"app"
        for name in ("shop", "blog"):
            url = app.url_for(f"{name}.inner.static", filename="a.txt")
            assert client.get(f"/{name}/url").text == url
            assert url.startswith(f"/{name}/inner/static/a.")
            for path in (url, app.url_for(f"{name}.again.static", filename="a.txt")):
                response = client.get(path)
                assert (response.body, response.headers["cache-control"]) == (name.encode(), FOREVER)

    @rows("prefix", ["", "/"])
    def test_for_all_paths(self, root, prefix):
        app = App()
        app.static(prefix, root)
        assert app.url_for("static", filename="css/site.css") == f"/css/site.{DIGEST}.css"

    @rows("prefix", ["static", "/static/", "/<path:x>", "/<"])
    def test_at_a_malformed_prefix_is_an_error(self, root, prefix):
        with pytest.raises(ValueError, match=prefix):
            App().static(prefix, root)

    def test_two_folders_by_one_name_is_an_error(self, root):
        app = App()
        app.static("/one", root)
        app.static("/two", root)
        with pytest.raises(ValueError, match="two routes are named 'static'"):
            app._freeze()

    def test_after_the_first_request_is_an_error(self, app, root):
        Client(app).get("/")
        with pytest.raises(RuntimeError):
            app.static("/more", root)


INSIDE = "/static/test_snippets.py"
TARGETS = [
    *("/static/../conftest.py", "/static/./../conftest.py", "/static//../conftest.py", "/static/x/../../conftest.py"),
    *("/static/%2e%2e/conftest.py", "/static/%2E%2E%2Fconftest.py", "/static/..%2fconftest.py"),
    *("/static/%252e%252e/conftest.py", "/static/..%5cconftest.py", "/static/..\\conftest.py"),
    *("/static/%c0%ae%c0%ae/conftest.py", "/static/%c0%ae%c0%ae%c0%afconftest.py", "/static/%uff0e%uff0e/conftest.py"),
    *("/static/..;/conftest.py", "/static/..%20/conftest.py", "/static/..%0a/conftest.py", "/static/..%ff/conftest.py"),
    *("/static/%2fetc/passwd", "/static//etc/passwd", "/static/%2f%2fetc/passwd", "/static/C:%5cconftest.py"),
    *(f"/static{FOLDER.parent}/conftest.py", f"/static/%2f{str(FOLDER.parent)[1:]}/conftest.py"),
    *("/static/..%00/conftest.py", "/static/.%2e/conftest.py"),
    *("/static/test_snippets.py%00", "/static/test_snippets.py%00.css"),
    *("/static/test_snippets.py%2f..%2f..%2fconftest.py", "/static/%2e%2e%2f%2e%2e%2f%2e%2e%2fetc/passwd", "/static/"),
    *("/static/" + "a" * 4000, "/static/" + "%2e%2e%2f" * 300 + "etc/passwd", "/static/" + "a/" * 1500),
]  # fmt: skip


@pytest.fixture(scope="module", params=SERVERS, ids=lambda server: server.name)
def process(request):
    with ServerProcess(request.param.command, "tests.helpers.served.files:folder_app") as process:
        yield process


@pytest.mark.processes
@pytest.mark.once
class TestOverSockets:
    def test_no_path_leads_out_of_the_folder(self, process):
        answers = {target: self.status(process, target) for target in TARGETS}
        assert {target: status for target, status in answers.items() if status not in (400, 404, "closed")} == {}
        assert 404 in answers.values()
        assert process.respond(SentRequest("GET", INSIDE)).status == 200

    def status(self, process, target):
        try:
            return process.respond(SentRequest("GET", target)).status
        except Closed:
            return "closed"


def test_the_outside_of_the_served_folder_has_what_is_asked_for():
    assert (FOLDER.parent / "conftest.py").is_file()
    assert Path("/etc/passwd").is_file()
