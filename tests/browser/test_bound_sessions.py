"""Sessions bound to the device in a real browser, whose key is in software, since a machine for tests has no chip."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.contract.process import ServerProcess
from tests.contract.wire import SentRequest
from tests.helpers.chromium import Chromium
from tests.helpers.processes import RUN

pytestmark = pytest.mark.processes

KEYS_IN_SOFTWARE = "--enable-features=DeviceBoundSessions,EnableBoundSessionCredentialsSoftwareKeysForManualTesting"

PATIENCE = 30.0
"""Seconds in which a browser that registers keys has come for that, even on a busy machine."""


class Registry(BaseHTTPRequestHandler):
    """A server without our code, which offers a registration on each page, and notes that a browser comes for it."""

    came = threading.Event()

    def do_GET(self):
        self.send_response(200)
        self.send_header("secure-session-registration", '(ES256 RS256);path="/register";challenge="any"')
        self.end_headers()

    def do_POST(self):
        self.came.set()
        self.send_error(404)

    def log_message(self, *_):
        """Keep what the tests print readable."""


@pytest.fixture(scope="module")
def binding_chromium(chromium, tmp_path_factory):
    """A Chromium that registers keys in software: 156.0.8078 on Linux does it with no server, 150.0.7871 with any."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Registry) as registry:
        threading.Thread(target=registry.serve_forever, daemon=True).start()
        with Chromium(chromium, tmp_path_factory.mktemp("profile"), KEYS_IN_SOFTWARE) as browser:
            browser.open(f"http://127.0.0.1:{registry.server_port}/")
            is_able = Registry.came.wait(PATIENCE)
        registry.shutdown()
    return chromium if is_able else pytest.skip("this Chromium registers keys with no server")


@pytest.fixture
def server(tmp_path, monkeypatch):
    monkeypatch.setenv("STORE", str(tmp_path / "sessions.db"))
    monkeypatch.setenv("BOUND", "600")
    with ServerProcess((*RUN, "--workers", "2"), "tests.helpers.served.bound_logins:app") as server:
        yield server


@pytest.fixture
def browser(binding_chromium, tmp_path):
    with Chromium(binding_chromium, tmp_path / "profile", KEYS_IN_SOFTWARE) as browser:
        yield browser


def cookies_of(browser):
    return {each["name"]: each["value"] for each in browser.call("Storage.getCookies")["cookies"]}


class Visit:
    """A page whose short-lived cookie a test takes away, as its age would."""

    def __init__(self, browser, server):
        self.browser, self.site = browser, f"http://localhost:{server.port}"
        self.page = browser.open(f"{self.site}/login")

    def wait_until_bound(self):
        self.page.wait_until("() => fetch('/vault').then((response) => response.ok)")

    def take_proof(self):
        """Delete the cookie, and return its value."""
        taken = cookies_of(self.browser)["host-session-bound"]
        old = {"name": "host-session-bound", "value": "", "url": self.site, "expires": 1}
        self.browser.call("Storage.setCookies", cookies=[old])
        assert "host-session-bound" not in cookies_of(self.browser)
        return taken


def test_it_registers_renews_and_forgets_its_key(browser, server):
    visit = Visit(browser, server)
    visit.page.submit()
    assert visit.page.url == f"{visit.site}/account"
    visit.wait_until_bound()
    stolen = cookies_of(browser)["host-session"]
    first = visit.take_proof()
    visit.page.go(f"{visit.site}/vault")
    assert (visit.page.text, cookies_of(browser)["host-session-bound"] == first) == ("gold", False)
    thief = server.respond(SentRequest("GET", "/vault", [("Cookie", f"host-session={stolen}")]))
    assert thief.status == 403
    visit.take_proof()
    visit.page.go(f"http://127.0.0.1:{server.port}/login")
    visit.page.run("(url) => { location = url }", f"{visit.site}/vault")
    visit.page.wait()
    assert (visit.page.url, visit.page.text) == (f"{visit.site}/vault", "gold")
    visit.page.run("() => fetch('/logout?everywhere', {method: 'POST'}).then((response) => response.text())")
    assert cookies_of(browser) == {}
    visit.page.go(f"{visit.site}/account")
    assert visit.page.url == f"{visit.site}/login?next=%2Faccount"


def test_it_registers_after_a_login_by_a_link_of_another_site(browser, server):
    visit = Visit(browser, server)
    visit.page.go(f"http://127.0.0.1:{server.port}/login")
    visit.page.run("(url) => { location = url }", f"{visit.site}/callback")
    visit.page.wait()
    assert visit.page.url == f"{visit.site}/account"
    visit.wait_until_bound()
    visit.take_proof()
    visit.page.go(f"{visit.site}/vault")
    assert visit.page.text == "gold"
