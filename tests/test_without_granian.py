"""Where Granian has no wheel: everything works that does not serve on it, and the command says what is missing."""

import subprocess
import sys

import pytest

pytestmark = [pytest.mark.once, pytest.mark.processes]

BLOCKED = "import sys; sys.modules['granian'] = None\n"
CLIENT = """
import antiphon, antiphon.http, antiphon.features
from antiphon.testing import Client

app = antiphon.App()


@app.get("/")
async def index(request):
    return "served"


for interface in ("wsgi", "asgi", "rsgi"):
    assert Client(app, interface).get("/").text == "served"
"""


def run(code):
    return subprocess.run([sys.executable, "-c", BLOCKED + code], capture_output=True, text=True, check=False)


def test_the_client_answers():
    done = run(CLIENT)
    assert done.returncode == 0, done.stderr


def test_the_command_says_what_to_install():
    done = run("from antiphon.cli.main import main; main(['run', 'shop:app'])")
    assert done.returncode == 3
    assert done.stderr.startswith("Error: This command serves on Granian, which is not installed. Install it:")


def test_other_commands_work():
    done = run("from antiphon.cli.main import main; main(['routes', 'examples.tour:app', '/'])")
    assert done.stdout.startswith("GET  /  index")
    assert done.returncode == 0
