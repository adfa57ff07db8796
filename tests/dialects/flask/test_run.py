"""`app.run()` and the `flask` command in processes of their own: serving, reloads, error pages, ends."""

import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

from tests.helpers.waiting import eventually

pytestmark = pytest.mark.processes

SHOP = """
import os
import signal
from flask import Flask, request

app = Flask(__name__)
GREETING = "hello"


@app.route("/")
def index():
    return f"{GREETING} {os.getpid()}"


@app.route("/fail")
def fail():
    number_of_lamps = 17
    raise LookupError("lost")


def create_app(name="made"):
    made = Flask(name)
    made.add_url_rule("/", "index", lambda: name)
    made.cli.command("init-db")(lambda: print("initialised"))
    return made


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's job in the background ignores it
    app.run(port=0, debug={debug})
    print("ended")
"""
DEADLINE = 30
"""Seconds for a program to start, on a machine that is busy."""


class Program:
    def __init__(self, folder, *arguments):
        self._printed = folder / "printed.txt"
        command = [sys.executable, *arguments]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("FLASK_")}
        with self._printed.open("w") as printed:
            self.process = subprocess.Popen(
                command, cwd=folder, env=environment, stdout=printed, stderr=printed, start_new_session=True
            )

    @property
    def printed(self):
        return self._printed.read_text()

    def url(self):
        def look():
            assert self.process.poll() is None, self.printed
            return re.search(r"on (https?://[\d.]+:\d+)", self.printed)

        return eventually(look, "no address was printed", DEADLINE)[1]

    def ask(self, path="/"):
        request = urllib.request.Request(self.url() + path, headers={"accept": "text/html"})
        try:
            with urllib.request.urlopen(request, timeout=DEADLINE) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def wait_for(self, text):
        return eventually(lambda: text in self.ask()[1] or None, f"no {text!r}", DEADLINE)

    def interrupt(self):
        """Press Ctrl-C, and return the exit code."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(DEADLINE)


@pytest.fixture
def start(tmp_path):
    programs = []

    def start(*arguments):
        programs.append(Program(tmp_path, *arguments))
        return programs[-1]

    yield start
    for each in programs:
        if each.process.poll() is None:
            os.killpg(each.process.pid, signal.SIGKILL)
            each.process.wait()


@pytest.fixture
def save(tmp_path):
    def save(debug=False, imports="antiphon.dialects.flask", greeting="hello"):
        text = SHOP.replace("{debug}", str(debug)).replace("from flask", f"from {imports}").replace("hello", greeting)
        (tmp_path / "shop.py").write_text(text)

    return save


@pytest.mark.once
def test_a_program_serves_until_it_is_interrupted_and_goes_on(start, save):
    save()
    program = start("shop.py")
    assert program.ask()[1] == f"hello {program.process.pid}"
    status, page = program.ask("/fail")
    assert (status, "number_of_lamps" in page) == (500, False)
    assert program.interrupt() == 0
    assert "Debug mode: off" in program.printed
    assert "LookupError: lost" in program.printed
    assert program.printed.count("INFO GET /fail 500 ") == 1
    assert program.printed.endswith("ended\n")


@pytest.mark.parametrize(
    ("imports", "arguments"),
    [
        ("antiphon.dialects.flask", ["shop.py"]),
        ("flask", ["-m", "antiphon.dialects.flask", "--app", "shop", "run", "--debug", "--port", "0"]),
        ("flask", ["-m", "antiphon", "run", "--dialect", "flask", "--reload", "--port", "0", "shop:app"]),
    ],
)
def test_a_debugged_program_is_loaded_anew_and_shows_errors(start, save, imports, arguments):
    save(debug=True, imports=imports)
    program = start(*arguments)
    assert program.ask()[1].startswith("hello ")
    status, page = program.ask("/fail")
    assert status == 500
    assert "number_of_lamps" in page
    save(debug=True, imports=imports, greeting="good evening")
    program.wait_for("good evening")
    assert program.interrupt() == 0
    assert program.printed.count("Debug mode: on") == (0 if "antiphon" in arguments else 1)


@pytest.mark.once
def test_commands_of_an_app_that_imports_flask_find_the_dialect(save, tmp_path):
    save(imports="flask")
    words = ["-m", "antiphon.dialects.flask", "--app", "shop:create_app('by name')", "init-db"]
    done = subprocess.run([sys.executable, *words], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("initialised\n", "", 0)
