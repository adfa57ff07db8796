"""`antiphon run --dialect`: the application is written for another library, and finds the dialect in its place."""

import json
import os
import signal
from contextlib import suppress
from pathlib import Path
from shutil import copytree

import pytest

from tests.helpers.example_packages import install

pytestmark = pytest.mark.processes

LACKS = "antiphon's werkzeug dialect has no module werkzeug.debug.console: see docs/reference/dialects/werkzeug.md"

SHOP = """
import os, sys
from importlib.metadata import version
from werkzeug import Request, Response
import werkzeug.wrappers

@Request.application
def app(request):
    found = sys.modules["werkzeug.wrappers"].__spec__.name
    return Response(f"{found} {version('werkzeug')} {request.method} {os.getpid()}")

open(f"started-{os.getpid()}", "w").close()
"""


@pytest.fixture
def shop(tmp_path):
    (tmp_path / "shop.py").write_text(SHOP)
    return tmp_path


def test_imports_of_the_application_find_the_dialect(antiphon, shop):
    command = antiphon("--dialect", "werkzeug", "shop:app").serving()
    module, version, method, _ = command.get().split()
    assert (module, method) == ("antiphon.dialects.werkzeug.wrappers", "GET")
    assert version[0].isdigit()


@pytest.mark.once
def test_without_the_option_the_original_is_found(antiphon, shop):
    assert antiphon("shop:app").serving().get().startswith("werkzeug.wrappers ")


def test_each_worker_has_the_dialect(antiphon, shop):
    command = antiphon("shop:app", "--workers", "2", "--dialect", "werkzeug").serving()
    first, second = command.workers()
    for asleep, awake in ((first, second), (second, first)):
        os.kill(asleep, signal.SIGSTOP)
        told = []

        def is_told(worker=awake, told=told):
            with suppress(OSError):  # a connection that the other worker was to accept
                told.append(command.get(timeout=0.5))
            return bool(told) and told[-1].endswith(f" {worker}")

        command.wait_until(is_told)
        assert told[-1].startswith("antiphon.dialects.werkzeug.wrappers ")
        os.kill(asleep, signal.SIGCONT)


@pytest.mark.once
def test_more_than_one_dialect(antiphon, tmp_path):
    (tmp_path / "both.py").write_text(
        "from microdot import Microdot\n"
        "import werkzeug.http\n"
        "app = Microdot()\n"
        "@app.get('/')\n"
        "def index(request):\n"
        "    return f'{Microdot.__module__} {werkzeug.http.__spec__.name}'\n"
    )
    command = antiphon("both:app", "--dialect", "microdot", "--dialect", "werkzeug").serving()
    first, second = command.get().split()
    assert first.startswith("antiphon.dialects.microdot.")
    assert second == "antiphon.dialects.werkzeug.http"


@pytest.mark.once
def test_an_unknown_dialect_is_refused(antiphon, shop):
    command = antiphon("shop:app", "--dialect", "werkzeugg")
    assert command.exit_code() == 2
    assert command.out == ""
    assert command.err.startswith("Error: There is no dialect 'werkzeugg'. Known dialects: ")
    assert "werkzeug" in command.err.partition("dialects: ")[2]
    assert command.err.count("\n") == 1


def test_what_the_dialect_lacks_is_an_error_that_shows_the_line_of_the_application(antiphon):
    command = antiphon("debugged:app", "--dialect", "werkzeug", debugged="from werkzeug.debug.console import Console\n")
    assert command.exit_code() == 2
    assert command.err.splitlines() == [
        "Error: The module 'debugged' was found, but its import failed:",
        "  debugged.py, line 1: from werkzeug.debug.console import Console",
        f"ModuleNotFoundError: {LACKS}",
    ]


PYRAMID = """
from pyramid.config import Configurator
from pyramid.view import view_config

@view_config(renderer="string")
def index(request):
    return f"{type(request).__module__} {request.registry.settings.get('greeting')}"

def main(global_config, **settings):
    with Configurator(settings=settings) as config:
        config.scan()
    return config.make_wsgi_app()
"""


@pytest.mark.once
@pytest.mark.parametrize(("target", "greeting"), [("shop:main", "None"), ("development.ini", "hello")])
def test_pyramid_s_applications_are_made_by_their_factory(antiphon, tmp_path, target, greeting):
    (tmp_path / "shop.py").write_text(PYRAMID)
    (tmp_path / "development.ini").write_text("[app:main]\npaste.app_factory = shop:main\ngreeting = hello\n")
    command = antiphon("--dialect", "pyramid", target).serving()
    assert command.get() == f"antiphon.dialects.pyramid.request {greeting}"


ASOK = Path(__file__).parents[1] / "dialects/asok/project"


@pytest.mark.once
def test_a_project_of_asok_is_served_from_its_folder(antiphon, tmp_path):
    copytree(ASOK, tmp_path, dirs_exist_ok=True)
    (tmp_path / "src/pages/page.py").write_text("""
from asok import Request

def render(request: Request):
    return request.json([request.path, request.shared("version"), Request.__module__])
""")
    command = antiphon("--dialect", "asok").serving()
    assert json.loads(command.get()) == ["/", "1.0", "antiphon.dialects.asok.request"]


@pytest.mark.once
def test_a_project_of_asok_whose_page_answers_nothing_is_refused(antiphon, tmp_path):
    copytree(ASOK, tmp_path, dirs_exist_ok=True)
    (tmp_path / "src/pages/none.py").write_text("")
    command = antiphon("--dialect", "asok", "wsgi:app")
    assert command.exit_code() == 2
    assert "src/pages/none.py has no handler: define render" in command.err


BOTTLE = Path(__file__).parents[2] / "examples/dialect_bottle"
BOTTLED = """
from importlib.metadata import version
from bottle import Bottle, request, response

app = Bottle()

@app.get("/")
def index():
    response.set_header("X-Colour", request.get_header("X-Colour"))
    return f"{type(app).__module__} {version('bottle')} {request.path}"
"""


@pytest.mark.once
def test_a_dialect_of_another_package_is_found_by_its_entry_point(antiphon, tmp_path, monkeypatch):
    (tmp_path / "shop.py").write_text(BOTTLED)
    monkeypatch.setenv("PYTHONPATH", str(install(BOTTLE, tmp_path)))
    for interface in ("wsgi", "asgi", "rsgi"):
        command = antiphon("--dialect", "bottle", "--interface", interface, "shop:app").serving()
        assert command.get(**{"X-Colour": "red"}) == "antiphon_bottle.app 0.13.4 /"
