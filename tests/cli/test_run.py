"""`antiphon run` while it serves."""

import os
import re
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

pytestmark = pytest.mark.processes


@pytest.mark.parametrize(
    ("arguments", "interface", "why"),
    [
        pytest.param(["apps:wsgi", "--interface", "wsgi"], "wsgi", "requested by --interface", id="wsgi by flag"),
        pytest.param(["apps:asgi"], "asgi", "Asgi (apps.py) is async", id="asgi"),
        pytest.param(["apps:rsgi"], "rsgi", "it speaks nothing else", id="rsgi"),
        pytest.param(["apps:rsgi", "--interface", "rsgi"], "rsgi", "requested by --interface", id="rsgi by flag"),
    ],
)
def test_each_interface_serves_and_the_line_says_which_and_why(antiphon, arguments, interface, why):
    command = antiphon(*arguments).serving()
    assert command.get().split()[0] == interface
    line = f"Antiphon serves {arguments[0]} on http://127.0.0.1:{command.port} ({interface}: {why})\n"
    assert re.sub(r"\.py:\d+", ".py", command.out) == line
    assert command.err == ""


@pytest.mark.parametrize("interface", ["asgi", "rsgi", "auto"])
def test_an_app_that_speaks_wsgi_alone_is_bridged(antiphon, interface):
    command = antiphon("apps:wsgi", "--interface", interface).serving()
    assert command.get().startswith("wsgi ")
    with command.stream(), command.stream():
        assert command.get().startswith("wsgi ")
    bridged = "asgi: wsgi (apps.py) is a plain callable, bridged from WSGI, so that slow clients hold no thread"
    why = bridged if interface == "auto" else f"{interface}: requested by --interface"
    assert re.sub(r"\.py:\d+", ".py", command.out).endswith(f"({why})\n")


@pytest.mark.once
@pytest.mark.parametrize("interface", ["asgi", "rsgi"])
def test_half_sent_bodies_hold_no_thread_of_an_app_that_speaks_wsgi_alone(antiphon, tmp_path, interface):
    (tmp_path / "reading.py").write_text(
        "def app(environ, start_response):\n"
        "    body = environ['wsgi.input'].read(int(environ.get('CONTENT_LENGTH') or 0))\n"
        "    start_response('200 OK', [])\n"
        "    return [b'%d bytes' % len(body)]\n"
    )
    command = antiphon("reading:app", "--interface", interface).serving()
    with ExitStack() as stack:
        slow = [stack.enter_context(command.connect()) for _ in range(100)]
        for connection in slow:
            connection.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nx")
        assert [command.get() for _ in range(5)] == ["0 bytes"] * 5
        slow[-1].sendall(b"y")
        assert slow[-1].recv(4096).startswith(b"HTTP/1.1 200 OK")


@pytest.mark.once
def test_what_an_app_says_of_itself_decides(antiphon, tmp_path):
    (tmp_path / "own.py").write_text(
        "from apps import wsgi\n"
        "class App:\n"
        "    interface = 'wsgi'\n"
        "    def __call__(self, *arguments):\n"
        "        return wsgi(*arguments)\n"
        "class site:\n"
        "    app = App()\n"
    )
    command = antiphon("own:site.app").serving()
    assert command.get().startswith("wsgi")
    assert command.out.endswith("(wsgi: its attribute `interface` names it)\n")


@pytest.mark.once
def test_without_a_target_the_one_that_is_here_is_served(antiphon, tmp_path):
    (tmp_path / "shop.py").write_text("import apps\ndef make_app():\n    return apps.wsgi\n")
    command = antiphon().serving()
    assert command.get().startswith("wsgi")
    assert command.out.startswith("Antiphon serves shop:make_app on http://")


def test_every_worker_accepts_connections(antiphon):
    command = antiphon("apps:asgi", "--workers", "2").serving()
    first, second = command.workers()
    assert " with 2 workers (asgi:" in command.out
    for asleep, awake in ((first, second), (second, first)):
        os.kill(asleep, signal.SIGSTOP)
        command.wait_until(lambda worker=awake: command.answers_from(worker))
        os.kill(asleep, signal.SIGCONT)


def test_the_worker_is_not_the_process_that_supervises_and_imports_the_module_once(antiphon):
    command = antiphon("apps:wsgi").serving()
    assert command.get() == f"wsgi {command.workers()[0]}"
    assert len(command.workers()) == 1
    assert command.workers() != [command.process.pid]


@pytest.mark.once
def test_an_ipv6_address_is_served_and_printed_in_brackets(antiphon):
    command = antiphon("apps:wsgi", "--host", "::1").serving()
    assert re.search(r" on http://\[::1\]:\d+ ", command.out)


@pytest.mark.once
def test_the_environment_of_the_application_shows_of_the_supervisor_only_what_is_documented(antiphon, tmp_path):
    (tmp_path / "environment.py").write_text(
        "import os\n"
        "def app(environ, start_response):\n"
        "    start_response('200 OK', [])\n"
        "    return [repr(sorted({name for name in os.environ if 'ANTIPHON' in name} - {'ANTIPHON_PURE'})).encode()]\n"
    )
    assert antiphon("environment:app").serving().get() == "['ANTIPHON_METRICS_FOLDER']"


def test_log_files_that_the_application_opened_stay_open(antiphon, tmp_path):
    (tmp_path / "logs.py").write_text(
        "import logging\n"
        "logging.basicConfig(filename='app.log', filemode='w', level='INFO')\n"
        "def app(environ, start_response):\n"
        "    logging.info('a request')\n"
        "    start_response('200 OK', [])\n"
        "    return [b'']\n"
    )
    antiphon("logs:app").serving().get()
    assert "a request" in (tmp_path / "app.log").read_text()


def test_an_exception_of_the_application_is_logged_to_stderr(antiphon, tmp_path):
    (tmp_path / "broken.py").write_text("def app(environ, start_response):\n    raise LookupError('lost')\n")
    command = antiphon("broken:app").serving()
    command.get()
    command.wait_until(lambda: "LookupError: lost" in command.err)
    assert "LookupError" not in command.out


def test_the_console_script_is_the_same_command(tmp_path):
    script = Path(sys.executable).parent / "antiphon"
    by_script, by_module = (
        subprocess.run([*command, "--version"], cwd=tmp_path, capture_output=True, text=True, timeout=20, check=True)
        for command in ([script], [sys.executable, "-m", "antiphon"])
    )
    assert by_script.stdout == by_module.stdout
    assert by_script.stdout.startswith("antiphon, version ")
