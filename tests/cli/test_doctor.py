"""`antiphon doctor` finds each hole of an app that was misconfigured on purpose, and none in the tour.

Without a URL, it tells what is installed.
"""

import os
import platform
import socket
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, metadata, version
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner

from antiphon import App, Response, TrustedProxies
from antiphon.adapters.servers.embedded import ThreadServer
from antiphon.cli.doctor import Received, look_at_cookies, look_at_frames, look_at_transport, requirements
from antiphon.cli.main import main
from examples.tour import app as tour
from tests.helpers.authority import Authority
from tests.helpers.rows import rows
from tests.websockets.test_over_wsgi import served as served_by_werkzeug

pytestmark = pytest.mark.once
SAFE = {"trusted_hosts": ["127.0.0.1"]}


def trusting(*headers):
    return {**SAFE, "trusted_proxies": TrustedProxies(["127.0.0.0/8"], headers=headers)}


def test_an_authority_of_ones_own_is_trusted_when_it_is_named(serve, tmp_path, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", "")
    authority = Authority(tmp_path)
    url = serve(shop(**SAFE), tls=tuple(map(Path, authority.issue("127.0.0.1")))).replace("http:", "https:")
    unknown = CliRunner().invoke(main, ["doctor", url])
    assert unknown.exit_code == 3
    assert "doesn't trust the certificate of 127.0.0.1" in unknown.output
    assert "--ca FILE" in unknown.output
    assert CliRunner().invoke(main, ["doctor", url, "--ca", authority.ca_file]).exit_code == 0


def shop(**settings):
    app = App(**settings)

    @app.get("/shown/here")
    def shown(request):
        return f"{request.url} {request.ip} {dict(request.headers)} http://example.com https://example.com"

    @app.get("/silent")
    def silent(request):
        return ""

    @app.websocket("/chat")
    async def chat(request, socket):
        async for message in socket:
            await socket.send(message)

    app.post("/orders")(lambda request: ("", 400))
    return app


@pytest.fixture
def serve():
    """A function that serves an app, and returns its address."""
    servers = []

    def start(app, interface="asgi", tls=None):
        listener = socket.create_server(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        servers.append(ThreadServer(app, interface, listener, threads=4, tls=tls))
        servers[-1].start()
        return address

    yield start
    for server in servers:
        server.cut_off(5)


def doctor(*urls, **options):
    result = CliRunner().invoke(main, ["doctor", *urls], **options)
    lines = result.output.splitlines()
    states = {line[9:].partition(":")[0]: line.split()[0] for line in lines if line[:1] in "flru"}
    return result, states


HOLES = [
    pytest.param(SAFE, "asgi", None, None, id="none"),
    pytest.param({}, "asgi", "Host", "App(trusted_hosts=['127.0.0.1'])", id="any host"),
    *(
        pytest.param(trusting(name.lower()), "asgi", name, "trusted_proxies", id=name)
        for name in ("X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Port", "X-Forwarded-Proto", "Forwarded")
    ),
    pytest.param(
        trusting("x-forwarded-for", "x-forwarded-prefix"), "asgi", "X-Forwarded-Prefix", "prefix", id="prefix"
    ),
    pytest.param({**SAFE, "encoded_slashes": False}, "asgi", "/shown%2Fhere", "encoded_slashes=True", id="slashes"),
    pytest.param(SAFE, "wsgi", "/shown%2Fhere", "passes on the path as sent", id="slashes over WSGI"),
    pytest.param({**SAFE, "cross_site_writes": True}, "asgi", "POST", "cross_site_writes=False", id="cross-site"),
]


@pytest.mark.parametrize(("settings", "interface", "hole", "mend"), HOLES)
def test_each_hole_is_found_with_the_setting_that_mends_it(serve, settings, interface, hole, mend):
    address = serve(shop(**settings), interface)
    result, states = doctor(f"{address}/shown/here", f"{address}/orders")
    found = {trial for trial, state in states.items() if state == "forged"}
    assert hole in found if hole else not found
    assert found <= {hole, "X-Forwarded-For"}
    assert result.exit_code == bool(hole)
    assert (mend or "") in result.output


COOKIE = "Set-Cookie"
PROTECTED = {"httponly": True, "samesite": "Lax"}


@pytest.mark.parametrize(
    ("cookies", "state"),
    [
        ({}, "unseen"),
        ({"id": PROTECTED}, "refused"),
        ({"id": {"httponly": False, "samesite": "Lax"}}, "lacking"),
        ({"id": {"httponly": True, "samesite": None}}, "lacking"),
        ({"id": PROTECTED, "seen": {"httponly": False}}, "lacking"),
    ],
)
def test_flags_of_cookies_are_looked_at(serve, cookies, state):
    app = App(**SAFE)

    @app.get("/")
    def index(request):
        response = Response("hello")
        for name, options in cookies.items():
            response.set_cookie(name, "1", **options)
        return response

    result, states = doctor(f"{serve(app)}/")
    assert (states[COOKIE], result.exit_code) == (state, 0)
    assert ("response.set_cookie(" in result.output) == (state == "lacking")


@rows(
    "headers, frames, transport",
    ({}, "lacking", "lacking"),
    ({"x-frame-options": "DENY", "strict-transport-security": "max-age=1"}, "refused", "refused"),
    ({"content-security-policy": "frame-ancestors 'none'"}, "refused", "lacking"),
    ({"content-type": "text/plain"}, "unseen", "lacking"),
)
def test_what_browsers_are_told_is_looked_at(headers, frames, transport):
    answer = Received(200, tuple({"content-type": "text/html", **headers}.items()))
    assert look_at_frames(answer).state == frames
    assert look_at_transport(answer, urlsplit("https://example.com/")).state == transport
    assert look_at_transport(answer, urlsplit("http://example.com/")).state == "unseen"
    insecure = answer._replace(fields=(("set-cookie", "a=1; HttpOnly; SameSite=Lax"),))
    secure = answer._replace(fields=(("set-cookie", "a=1; HttpOnly; SameSite=Lax; Secure"),))
    of = urlsplit("https://example.com/")
    assert (look_at_cookies(insecure, of).state, look_at_cookies(secure, of).state) == ("lacking", "refused")


def test_there_is_none_in_the_tour(serve):
    address = serve(tour)
    result, states = doctor(f"{address}/", f"{address}/api/lamps/1", f"{address}/votes")
    assert result.exit_code == 0, result.output
    assert {trial for trial, state in states.items() if state == "refused"} == {
        "Host",
        "/api/lamps%2F1",
        "POST",
        "X-Frame-Options",
    }


@pytest.mark.parametrize(("headers", "state"), [({}, "refused"), ({"location": "http://forged.invalid/"}, "forged")])
def test_a_host_that_is_answered_with_nothing_is_refused(serve, headers, state):
    app = shop()

    @app.before_request
    def nothing(request):  # as Caddy answers hosts that it does not serve
        return ("", 200, headers) if request.host == "forged.invalid" else None

    assert doctor(f"{serve(app)}/shown/here")[1]["Host"] == state


def test_a_server_that_keeps_messages_without_the_route_s_limit(serve):
    result, states = doctor(serve(shop(**SAFE)) + "/chat")
    assert (result.exit_code, states["WebSocket"]) == (0, "lacking")
    assert "64 MiB" in result.output


def test_a_server_that_refuses_long_messages_before_they_are_whole():
    with served_by_werkzeug(shop(**SAFE)) as port:
        result, states = doctor(f"http://127.0.0.1:{port}/chat")
    assert (result.exit_code, states["WebSocket"]) == (0, "refused")


def test_what_cannot_be_seen_is_said(serve):
    address = serve(shop(**trusting("x-forwarded-for")))
    result, states = doctor(f"{address}/silent")
    assert result.exit_code == 0
    assert {states.pop("Host"), *states.values()} == {"refused", "unseen"}
    assert "Add a URL that shows request.url" in result.output


@rows(
    "url, code, words",
    ("127.0.0.1:8000", 2, "is not a URL"),
    ("ftp://127.0.0.1/", 2, "is not a URL"),
    ("http://127.0.0.1:1/", 3, "127.0.0.1:1 does not respond"),
    ("http://no-such-host.invalid/", 3, "no-such-host.invalid does not respond"),
)
def test_nobody_answers(url, code, words):
    result, _ = doctor(url)
    assert result.exit_code == code
    assert words in result.output


@pytest.mark.parametrize(("environment", "is_colored"), [({"NO_COLOR": ""}, True), ({"NO_COLOR": "1"}, False)])
def test_colors_are_left_out_where_none_are_wanted(serve, environment, is_colored):
    result, _ = doctor(serve(shop()), color=True, env=environment)
    assert ("\x1b[" in result.output) is is_colored


@rows(
    "line, told",
    ("click>=8.2", ("click", ">=8.2", "", True)),
    ("click<9,>=8.2", ("click", "<9,>=8.2", "", True)),
    ("click<8", ("click", "<8", "", False)),
    ("click!=8.0", ("click", "!=8.0", "", True)),
    ('jinja2>=3.1.6; extra == "templates"', ("jinja2", ">=3.1.6", "templates", True)),
    ('not-there>=1; python_version < "99" and extra == "x"', ("not-there", ">=1", "x", False)),
    ('click>=8.2; python_version < "3.2" and extra == "x"', None),
    ('click>=8.2; sys_platform == "emscripten"', None),
    ('click>=99.0rc1; sys_platform != "emscripten"', ("click", ">=99.0rc1", "", False)),
)
def test_a_requirement_is_read_as_installers_do(line, told):
    found = list(requirements([line]))
    assert [(each.name, each.bounds, each.extra, each.is_met) for each in found] == ([told] if told else [])


def installed(monkeypatch, **versions):
    """Let distributions have other versions, or none."""

    def changed(name):
        if (found := versions.get(name, version(name))) is None:
            raise PackageNotFoundError(name)
        return found

    monkeypatch.setattr("antiphon.cli.doctor.version", changed)


def test_without_a_url_it_prints_what_is_installed():
    result = CliRunner().invoke(main, ["doctor"])
    words = [line.split() for line in result.output.splitlines()]
    assert result.exit_code == 0
    assert ["antiphon", version("antiphon")] in [line[:2] for line in words]
    assert ["python", platform.python_version()] in [line[:2] for line in words]
    assert {"click", "granian", "itsdangerous", "msgspec", "watchfiles"} <= {line[0] for line in words if line}
    assert f"servers granian {version('granian')}, " in " ".join(result.output.split())
    assert {line[1] for line in words if line[:1] in (["complete"], ["missing"])} == {
        *metadata("antiphon").get_all("Provides-Extra")
    }


def test_it_names_what_an_extra_lacks_and_the_command_that_installs_it(monkeypatch):
    installed(monkeypatch, babel=None, redis="5.0.1", blinker="1.8")
    result = CliRunner().invoke(main, ["doctor"])
    lines = [" ".join(line.split()) for line in result.output.splitlines()]
    assert result.exit_code == 0
    assert "missing languages babel: pip install 'antiphon[languages]'" in lines
    assert "missing valkey redis 5.0.1 (not <9,>=8.0.0): pip install 'antiphon[valkey]'" in lines
    assert "missing flask blinker 1.8 (not >=1.9): pip install 'antiphon[flask]'" in lines
    assert f"complete templates jinja2 {version('jinja2')}" in lines


@pytest.mark.parametrize(
    ("found", "told"), [(None, "missing needed: <1,>=0.22"), ("0.18.6", "0.18.6 needed: <1,>=0.22")]
)
def test_a_dependency_that_will_not_do_is_a_failure(monkeypatch, found, told):
    installed(monkeypatch, msgspec=found)
    result = CliRunner().invoke(main, ["doctor"])
    assert result.exit_code == 1
    assert f"msgspec {told}" in " ".join(result.output.split())


def test_a_copy_without_metadata_is_said(monkeypatch):
    installed(monkeypatch, antiphon=None)
    result = CliRunner().invoke(main, ["doctor"])
    assert (result.exit_code, "Antiphon was copied, not installed" in result.output) == (3, True)


@pytest.mark.processes
@pytest.mark.parametrize("pure", ["0", "1"])
def test_it_tells_whether_the_extension_is_in_use(pure):
    is_built = find_spec("antiphon.speedups._speedups") is not None
    told = (
        "alone, since its extension in C was not compiled" if not is_built
        else "was compiled, but is not in use, since ANTIPHON_PURE is 1" if pure == "1"
        else "with its extension in C"
    )  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "antiphon", "doctor"], capture_output=True, text=True, check=True,
        env={**os.environ, "ANTIPHON_PURE": pure},
    )  # fmt: skip
    assert told in done.stdout.splitlines()[0]


@pytest.mark.processes
def test_it_works_without_the_dependencies():
    blocked = (
        "import sys; sys.modules.update(dict.fromkeys(['granian', 'itsdangerous', 'msgspec', 'watchfiles', 'jinja2']))"
    )
    code = f"{blocked}; from antiphon.cli.main import main; main(['doctor'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, "complete  templates" in done.stdout) == (0, True), done.stderr
