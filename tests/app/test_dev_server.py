"""The development server of a bundler in front of a folder: what is forwarded to it, and what programs get instead."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from antiphon import App
from antiphon.testing import Client
from tests.helpers.ports import free_port

pytestmark = [pytest.mark.once, pytest.mark.axes("interface")]

PAGE = b"<!doctype html><title>Lamps</title><script type=module src=/src/main.js></script>"
FILES = {"/src/main.js": (b"import '/@vite/client'", "text/javascript"), "/": (PAGE, "text/html")}
NAVIGATION = {"sec-fetch-mode": "navigate", "cookie": "session=secret"}


class Bundler(BaseHTTPRequestHandler):
    """A server that responds as Vite's does: with index.html to all paths that it doesn't have."""

    def do_GET(self):
        self.server.seen.append((self.path, dict(self.headers)))
        body, kind = FILES.get(self.path.partition("?")[0], (PAGE, "text/html"))
        if self.headers.get("if-none-match") == '"same"':
            self.send_response(304)
            self.end_headers()
            return
        self.send_response(404 if self.path == "/gone.js" else 200)
        self.send_header("content-type", kind)
        self.send_header("etag", '"same"')
        self.send_header("set-cookie", "a=1")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def bundler():
    with ThreadingHTTPServer(("127.0.0.1", 0), Bundler) as server:
        server.seen = []
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def client(interface, debug_mode):
    """Return a client of an app whose build does not exist yet, in debug mode."""

    def client(port):
        app = App()
        app.get("/api/lamps")(lambda request: ["Desk"])
        app.static("/", "/nowhere/dist", dev_server=f"http://127.0.0.1:{port}")
        return Client(app, interface)

    return client


FORWARDED = [
    ("/", {}, 200, PAGE),
    ("/src/main.js", {}, 200, b"import '/@vite/client'"),
    ("/src/main.js?t=1&import", {"sec-fetch-dest": "script"}, 200, b"import '/@vite/client'"),
    ("/src/main.js", {"if-none-match": '"same"'}, 304, b""),
    ("/lamps/7", NAVIGATION, 200, PAGE),
    ("/lamps/7", {"accept": "text/html,*/*"}, 200, PAGE),
    ("/api/lamp", {}, 404, None),
    ("/api/lamp", {"accept": "*/*", "sec-fetch-mode": "cors"}, 404, None),
    ("/gone.js", NAVIGATION, 404, None),
]


@pytest.mark.parametrize(("target", "headers", "status", "body"), FORWARDED)
def test_files_come_from_the_bundlers_server(client, bundler, target, headers, status, body):
    response = client(bundler.server_port).get(target, headers=headers)
    assert response.status == status
    assert body is None or response.body == body
    ((seen, fields),) = bundler.seen
    assert seen == target
    assert "cookie" not in {name.lower() for name in fields}
    assert "set-cookie" not in response.headers


def test_routes_come_first_and_other_methods_are_refused(client, bundler):
    visitor = client(bundler.server_port)
    assert visitor.get("/api/lamps").json == ["Desk"]
    assert visitor.post("/src/main.js").status == 405
    assert bundler.seen == []


def test_a_server_that_does_not_respond_is_named(client):
    response = client(port := free_port()).get("/src/main.js")
    assert response.status == 502
    assert f"http://127.0.0.1:{port} does not respond" in response.json["detail"]
    assert "npm run dev" in response.json["detail"]


def test_without_debug_mode_the_folder_is_served(tmp_path, bundler):
    (tmp_path / "index.html").write_text("built")
    app = App()
    app.static("/", tmp_path, dev_server=f"http://127.0.0.1:{bundler.server_port}")
    assert (Client(app).get("/lamps", headers=NAVIGATION).text, bundler.seen) == ("built", [])


@pytest.mark.parametrize("url", ["https://localhost:5173", "http://example.com", "localhost:5173", "http://[", ""])
def test_only_a_server_of_this_machine_can_be_named(debug_mode, url):
    with pytest.raises(ValueError, match="dev_server must be a URL of this machine"):
        App().static("/", "/nowhere", dev_server=url)
