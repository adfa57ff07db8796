"""`pserve`: an application and a server that a file describes, in Pyramid and in the dialect."""

import subprocess
import sys
from http.client import HTTPException
from urllib.request import urlopen

import pytest

from antiphon.dialects.pyramid.scripts import pserve
from tests.helpers.rows import rows
from tests.helpers.waiting import eventually

SHOP = """
from wsgiref.simple_server import make_server

GREETING = b"hello"

def main(global_config, **settings):
    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [GREETING + b" " + settings["name"].encode()]
    return app

def serve(global_config, host, port):
    def run(app):
        server = make_server(host, int(port), app)
        with open("address", "w") as file:
            file.write(f"http://{host}:{server.server_port}/")
        server.serve_forever()
    return run
"""
INI = """
[app:main]
paste.app_factory = shop:main
name = %(who)s

[app:other]
paste.app_factory = shop:main
name = other

[server:main]
paste.server_factory = shop:serve
host = 127.0.0.1
port = 0
"""
MODULES = ["pyramid.scripts.pserve", "antiphon.dialects.pyramid.scripts.pserve"]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "shop.py").write_text(SHOP)
    (tmp_path / "development.ini").write_text(INI)
    yield tmp_path
    for module in ("shop", "shop_server"):  # other tests have modules of these names
        sys.modules.pop(module, None)


@pytest.fixture
def run(folder):
    """A function that runs a command, ends it at the end of the test, and returns the text that it answers with."""
    running = []

    def start(module, *arguments):
        (folder / "address").unlink(missing_ok=True)
        command = [sys.executable, "-W", "ignore", "-m", module, *arguments]
        running.append(subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT))
        return lambda expected: eventually(lambda: asked(folder, expected), f"{arguments} did not say {expected}")

    yield start
    for process in running:
        process.terminate()
        process.communicate(timeout=30)


def asked(folder, expected):
    try:
        with urlopen((folder / "address").read_text()) as response:
            return True if response.read() == expected else None
    except (OSError, ValueError, HTTPException):  # the server may be ending
        return None


@pytest.mark.processes
@rows("module", MODULES)
@rows(
    "arguments, text",
    (["development.ini", "who=Ada"], b"hello Ada"),
    (["-q", "--server-name", "main", "development.ini#other", "who=Ada"], b"hello other"),
    (["-n", "other", "--server-name", "main", "development.ini", "who=Ada"], b"hello other"),
)
def test_the_server_of_a_file_serves_its_application(run, module, arguments, text):
    assert run(f"{module}", *arguments)(text)


@pytest.mark.processes
def test_a_change_is_served_after_reloading(run, folder):
    answers = run(MODULES[1], "--reload", "development.ini", "who=Ada")
    assert answers(b"hello Ada")
    (folder / "shop.py").write_text(SHOP.replace('b"hello"', 'b"welcome"'))
    assert answers(b"welcome Ada")


def test_what_is_missing_is_told(folder, capsys):
    assert pserve.main(["pserve"]) == 2
    assert "config file" in capsys.readouterr().err
    with pytest.raises(ValueError, match="Variable assignment 'Ada' invalid"):
        pserve.main(["pserve", str(folder / "development.ini"), "Ada"])
    with pytest.raises(LookupError, match="nothing"):
        pserve.main(["pserve", "-n", "nothing", str(folder / "development.ini"), "who=Ada"])


def test_the_browser_opens_the_address_of_the_server(folder, monkeypatch):
    opened = []
    monkeypatch.setattr(pserve.webbrowser, "open", opened.append)
    monkeypatch.syspath_prepend(folder)
    file = folder / "development.ini"
    file.write_text(INI.replace("shop:serve", "shop_server:serve"))
    (folder / "shop_server.py").write_text("def serve(global_config, **settings):\n    return lambda app: None\n")
    assert pserve.main(["pserve", "-b", str(file), "who=Ada"]) == 0
    file.write_text(file.read_text().replace("host = 127.0.0.1\nport = 0", "listen = *:6543 [::1]:6543"))
    assert pserve.main(["pserve", "-b", str(file), "who=Ada"]) == 0
    assert opened == ["http://127.0.0.1:0/", "http://127.0.0.1:6543/"]
