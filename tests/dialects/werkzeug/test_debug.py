"""Debug mode: the debugger's name, which warns and passes requests through, and Flask's two ways to start with it."""

import os
import re
import signal
import subprocess
import sys
import time
from http.client import HTTPConnection

import pytest

from antiphon.dialects.werkzeug.debug.tbtools import DebugTraceback
from tests.helpers.rows import rows


def fail(text):
    __traceback_hide__ = True
    raise ValueError(text)


def test_a_traceback_is_text_or_a_page_without_a_console():
    try:
        fail("a <b> & c")
    except ValueError as error:
        whole, hiding, skipping = (
            DebugTraceback(error, hide=False),
            DebugTraceback(error),
            DebugTraceback(error, skip=1),
        )
    shown = whole.render_traceback_text()
    assert shown.splitlines()[0] == "Traceback (most recent call last):"
    assert shown.splitlines()[-1] == str(whole) == "ValueError: a <b> & c"
    calls = [each.render_traceback_text().count('  File "') for each in (whole, hiding, skipping)]
    assert calls == [2, 1, 0]
    page = whole.render_debugger_html(True, "secret", True)
    assert "<h1>ValueError</h1>\n<p>a &lt;b&gt; &amp; c\n" in page
    assert "secret" not in page
    assert whole.render_traceback_html() in page
    assert "<h3>" not in whole.render_traceback_html(include_title=False)


SHOP = """
from flask import Flask, request

app = Flask(__name__)

@app.route("/")
def index():
    return "VERSION " + request.environ["REQUEST_URI"]

@app.route("/broken")
def broken():
    raise RuntimeError("a fault of the shop")

if __name__ == "__main__":
    app.run(port=0, debug=True)
"""
INSTALLED = "from antiphon.dialect_imports import install; install('werkzeug'); "
RUN = INSTALLED + "import runpy; runpy.run_path('shop.py', run_name='__main__')"
COMMAND = INSTALLED + "from flask.cli import main; main()"


def read_until(stream, pattern):
    """Read lines up to one with a pattern; return the match, and what came before it."""
    before = ""
    for line in stream:
        if found := re.search(pattern, line):
            return found, before
        before += line
    raise AssertionError(before)


def get(port, path):
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path, headers={"accept": "text/html"})
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


@pytest.mark.processes
@rows(
    "arguments",
    [["-c", RUN], ["-c", COMMAND, "--app", "shop", "--debug", "run", "--port", "0"]],
    ids=["app.run(debug=True)", "flask --debug run"],
)
def test_flask_in_debug_mode_is_served_with_reload_and_error_page(tmp_path, arguments):
    file = tmp_path / "shop.py"
    file.write_text(SHOP)
    command = [sys.executable, *arguments]
    pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=tmp_path, text=True, start_new_session=True, **pipes) as program:
        try:
            port = int(read_until(program.stderr, " Running on http://127.0.0.1:([0-9]+)$")[0][1])
            assert get(port, "/?a=%20") == (200, "VERSION /?a=%20")
            status, page = get(port, "/broken")
            assert (status, "RuntimeError" in page) == (500, False)
            assert "<h1>Internal Server Error</h1>" in page
            _, before = read_until(program.stderr, "^RuntimeError: a fault of the shop$")
            assert before.count("no interactive debugger") == 1
            file.write_text(SHOP.replace("VERSION", "CHANGED"))
            os.utime(file, ns=(1, time.time_ns() + 10**9))
            read_until(program.stderr, r"shop\.py has changed, restarting$")
            assert get(port, "/") == (200, "CHANGED /")
        finally:
            os.killpg(program.pid, signal.SIGKILL)
