"""`antiphon run` and the startup of the application, which comes before the server says that it serves."""

import signal
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

pytestmark = [pytest.mark.processes, pytest.mark.axes("interface")]


STARTING = """
import time
import apps
from antiphon import App

app = App()


@app.on_startup
{style} up():
    time.sleep(0.3)
    open("has started", "w").close()


@app.get("/")
def index(request):
    return "served"
"""

FAILING = """
import apps, json
from antiphon import App

app = App()


def connect(settings):
    return json.loads(settings)


@app.on_startup
{style} up():
    connect("{{")
"""
EACH_STYLE = pytest.mark.parametrize("style", ["def", "async def"])


@pytest.mark.once
@EACH_STYLE
def test_an_application_has_started_when_the_server_says_that_it_serves(antiphon, tmp_path, interface, style):
    antiphon("starting:app", "--interface", interface, starting=STARTING.format(style=style)).serving()
    assert (tmp_path / "has started").exists()


@pytest.mark.once
@EACH_STYLE
def test_an_application_that_fails_to_start_is_shown_with_its_error(antiphon, interface, style):
    command = antiphon("failing:app", "--interface", interface, "--workers", "2", failing=FAILING.format(style=style))
    assert command.exit_code() == 1
    assert command.out == ""
    what, *frames, error = command.err.splitlines()
    assert what == "Error: The application's startup failed:"
    assert frames[:2] == ['  failing.py, line 14: connect("{")', "  failing.py, line 9: return json.loads(settings)"]
    assert error.startswith("json.decoder.JSONDecodeError: Expecting property name")
    assert len(frames) <= 5
    assert len(command.workers()) <= 2


@pytest.mark.once
def test_a_long_error_is_shortened(antiphon, tmp_path, interface):
    (tmp_path / "failing.py").write_text(
        "from antiphon import App\napp = App()\n@app.on_startup\ndef up():\n"
        "    raise ValueError('\\n'.join('x' * 20))\n"
    )
    command = antiphon("failing:app", "--interface", interface)
    assert command.exit_code() == 1
    assert len(command.err.splitlines()) <= 15
    assert "  failing.py, line 5:" in command.err


def test_a_later_worker_imports_all_anew_but_neither_the_command_line_nor_the_supervisor(antiphon, tmp_path):
    (tmp_path / "lists.py").write_text(
        "import sys\nfrom antiphon import App\napp = App()\napp.get('/')(lambda request: ' '.join(sys.modules))\n"
    )
    command = antiphon("lists:app", begun_anew=True).serving()
    seldom = {"importlib.metadata", "antiphon.dialect_imports", "msgspec", "decimal", "dotenv", "watchfiles"}
    seldom |= {"hashlib", "hmac", "unicodedata"}
    assert {*command.get().split()} & seldom == set()
    command.process.send_signal(signal.SIGUSR2)
    modules = set()

    def is_later():
        modules.clear()
        modules.update(command.get().split())  # of either worker, while one takes the place of the other
        return "antiphon.cli.workers.worker" in modules and "click" not in modules

    command.wait_until(is_later)
    supervisor = {f"antiphon.cli.{name}" for name in ("main", "serve", "supervisor", "worker_slot", "reload")}
    assert modules & (seldom | supervisor) == set()


@pytest.mark.once
@pytest.mark.skipif(sys.platform != "linux", reason="Elsewhere, workers are no forks")
def test_a_supervisor_imports_a_server_for_several_workers_alone(antiphon):
    for workers, imports in (("1", False), ("2", True)):
        command = antiphon("apps:asgi", "--workers", workers, begun_anew=True).serving()
        assert ("_granian" in Path(f"/proc/{command.process.pid}/maps").read_text()) is imports


def test_the_command_looks_at_entry_points_for_dialects_alone():
    program = "import sys, antiphon.cli.main, antiphon.cli.serve; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True).stdout.split()
    assert not {"importlib.metadata", "antiphon.dialect_imports", "granian"} & {*modules}


@pytest.mark.once
@pytest.mark.parametrize("options", [(), ("--workers", "2"), ("--preload",)], ids=["one", "several", "preloaded"])
def test_a_granian_that_lacks_a_private_name_is_named_with_its_version(antiphon, tmp_path, options):
    (tmp_path / "other_granian.py").write_text(
        "from apps import asgi as app\nimport granian.server.mt as mt\n"
        "for each in mt.MTServer.__mro__:\n"
        "    if '_spawn_asgi_lifespan_worker' in vars(each):\n"
        "        del each._spawn_asgi_lifespan_worker\n"
    )
    command = antiphon("other_granian:app", *options)
    assert command.exit_code() == 1
    assert f"granian {version('granian')} is installed, which has no granian.server.mt.MTServer()._spawn" in command.err
    assert "Traceback" not in command.err
