"""`antiphon run` when it can't begin: a short error, exit code 2 for the command and 3 for the machine."""

import socket

import pytest

pytestmark = [pytest.mark.once, pytest.mark.processes]

ONCE = pytest.mark.once

MODULES = {
    "fails": "import os\nimport no_such_module\n",
    "raises": "import inner\n",
    "inner": "settings = {}['database']\n",
    "unfinished": "def app(:\n    pass\n",
    "leaves": "raise SystemExit('go away')\n",
    "interrupts": "raise KeyboardInterrupt\n",
    "clashes": (
        "from antiphon import App\n"
        "app, outer = App(), App()\n"
        "outer.mount('/shop', app)\n"
        "@app.get('/a')\n"
        "def first(request): return ''\n"
        "@app.get('/a')\n"
        "def second(request): return ''\n"
    ),
    "values": (
        "from apps import asgi as served, wsgi\n"
        "import os\n"
        "from typing import Union\n"
        "settings = {}\n"
        "def make(): return served\n"
        "def view(request, *, page): return page\n"
        "def handler(request): return ''\n"
        "class App:\n"
        "    async def __call__(self, scope, receive, send): ...\n"
    ),
}


@pytest.fixture
def refused(antiphon, tmp_path):
    for name, text in MODULES.items():
        (tmp_path / f"{name}.py").write_text(text)

    def run(*arguments: str) -> tuple[int, str]:
        command = antiphon(*arguments)
        code = command.exit_code()
        assert command.out == ""
        assert "Traceback" not in command.err
        return code, command.err

    return run


@pytest.mark.once
def test_a_taken_port(refused):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        code, error = refused("apps:wsgi", "--port", str(port))
    assert code == 3
    assert f"127.0.0.1:{port} is taken" in error
    assert "--port" in error


@pytest.mark.once
def test_a_port_that_another_run_serves(antiphon, refused):
    first = antiphon("apps:wsgi").serving()
    code, error = refused("apps:wsgi", "--port", str(first.port))
    assert code == 3
    assert "is taken" in error
    assert first.get().startswith("wsgi")


@pytest.mark.once
@pytest.mark.parametrize(
    ("place", "name"), [(["--host", "0.0.0.0"], "DEBUG"), (["--uds", "shop.sock"], "RELOAD"), ([], "DEBUG")]
)
def test_debug_mode_that_a_file_turns_on_where_others_can_reach_it(refused, tmp_path, place, name):
    (tmp_path / ".env").write_text(f"ANTIPHON_{name}=1\n" + ("" if place else "ANTIPHON_HOST=0.0.0.0\n"))
    code, error = refused("apps:wsgi", *place)
    assert code == 2
    assert f"ANTIPHON_{name} in .env turns debug mode on" in error


@pytest.mark.once
def test_a_store_in_memory_for_several_workers(antiphon, refused, tmp_path):
    (tmp_path / "shop.py").write_text(
        "from antiphon import App\nfrom antiphon.features import MemoryStore, Sessions\n"
        "app = App(store=MemoryStore())\napp.use(Sessions())\n"
    )
    code, error = refused("shop:app", "--workers", "2")
    assert (code, error.count("Write App(store=SQLiteStore(")) == (2, 1)
    antiphon("shop:app", "--workers", "1").serving()


@pytest.mark.once
def test_a_port_that_another_server_shares(refused):
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        code, error = refused("apps:wsgi", "--port", str(other.getsockname()[1]))
    assert code == 3
    assert "is taken" in error


@pytest.mark.once
@pytest.mark.parametrize(
    ("host", "message"),
    [
        pytest.param("no-such-host.invalid", "The host 'no-such-host.invalid' does not resolve", id="unknown"),
        pytest.param("a" * 70, "does not resolve", id="no host name"),
        pytest.param("192.0.2.1", "192.0.2.1:0 is not an address of this machine", id="another machine's"),
    ],
)
def test_a_host_that_cannot_be_listened_on(refused, host, message):
    code, error = refused("apps:wsgi", "--host", host)
    assert code == 3
    assert message in error


@pytest.mark.parametrize(
    ("target", "messages"),
    [
        pytest.param("apps", ["'apps' is not a target", "such as apps:app."], id="no name", marks=ONCE),
        pytest.param(
            "nowhere:app", ["No module named 'nowhere'", "(the current directory)"], id="no module", marks=ONCE
        ),
        pytest.param("apps.views:app", ["No module named 'apps.views'"], id="no submodule", marks=ONCE),
        pytest.param(
            "apps:app", ["no 'app'", "apps.py", "apps:wsgi, apps:asgi, apps:rsgi."], id="no attribute", marks=ONCE
        ),
        pytest.param(
            "fails:app",
            ["'fails' was found", "  fails.py, line 2: import no_such_module\n", "No module named 'no_such"],
            id="failing import",
        ),
        pytest.param(
            "raises:app",
            ["  raises.py, line 1: import inner\n  inner.py, line 1: settings", "KeyError: 'database'"],
            id="failing module",
        ),
        pytest.param("unfinished:app", ["unfinished.py", "line 1", "SyntaxError"], id="syntax error"),
        pytest.param("leaves:app", ["leaves.py, line 1", "SystemExit('go away')"], id="exit"),
        pytest.param("interrupts:app", ["interrupts.py, line 1", "KeyboardInterrupt"], id="interrupt"),
        pytest.param(
            "values:settings",
            ["values:settings is of type dict", "like applications: values:served, values:wsgi.\n"],
            id="no application",
            marks=ONCE,
        ),
        pytest.param("values:App", ["values:App is a class: name an instance"], id="class", marks=ONCE),
        pytest.param("values:view", ["values:view takes neither"], id="view", marks=ONCE),
    ],
)
def test_a_target_that_cannot_be_served(refused, target, messages):
    code, error = refused(target)
    assert code == 2
    for message in messages:
        assert message in error


@pytest.mark.once
@pytest.mark.parametrize("target", ["clashes:app", "clashes:outer"])
def test_an_app_whose_routes_are_in_each_others_way(refused, target, interface):
    code, error = refused(target, "--interface", interface)
    assert code == 2
    for message in (f"{target} can't be served: GET /a is handled by both", "clashes.py:4)", "clashes.py:6)"):
        assert message in error


@pytest.mark.once
@pytest.mark.parametrize("interface", ["asgi", "rsgi"])
def test_an_application_of_another_interface_over_wsgi(refused, interface):
    code, error = refused(f"apps:{interface}", "--interface", "wsgi")
    assert code == 2
    assert f"apps:{interface} only speaks {interface.upper()}, not WSGI." in error


@pytest.mark.once
def test_two_workers_tell_it_once(refused):
    code, error = refused("nowhere:app", "--workers", "2")
    assert code == 2
    assert error.count("Error:") == 1


@pytest.mark.once
@pytest.mark.parametrize(
    "option",
    [
        ["--port", "65536"], ["--workers", "0"], ["--interface", "cgi"],
        ["--grace", "-1"], ["--grace", "nan"], ["--grace", "inf"], ["--grace", "1e300"],
    ],
)  # fmt: skip
def test_options_out_of_range(refused, option):
    code, error = refused("apps:wsgi", *option)
    assert code == 2
    assert option[0] in error
