"""`app.run()`, where it replaces the program by the command, and where it can't."""

import os
import re
import signal
import subprocess
import sys
from types import SimpleNamespace
from urllib.request import urlopen

import pytest

from antiphon import App
from tests.helpers.rows import rows

SHOP = """
import sys
from antiphon import App

app = App()
print("the program", __name__)


@app.get("/")
def index(request):
    return "shop"


if __name__ == "__main__":
    app.run({})
"""


@pytest.mark.processes
@rows(
    "program, arguments, target",
    (["shop.py"], "port=0", "shop:app"),
    (["pages/shop.py"], "'localhost', 0, workers=1, uds=None", "shop:app"),
    (["-m", "pages.shop"], "port=0, interface='wsgi'", "pages.shop:app"),
)
def test_the_program_becomes_the_command(tmp_path, program, arguments, target):
    (tmp_path / "pages").mkdir()
    for path in ("shop.py", "pages/shop.py"):
        (tmp_path / path).write_text(SHOP.format(arguments))
    process = subprocess.Popen([sys.executable, *program], cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    with process:
        try:
            lines = [process.stdout.readline() for _ in range(3)]
            assert lines[:2] == ["the program __main__\n", f"the program {target.removesuffix(':app')}\n"]
            assert lines[2].startswith(f"Antiphon serves {target} on http://")
            assert urlopen(re.search(r"http://\S+", lines[2])[0]).read() == b"shop"
            os.kill(process.pid, signal.SIGINT)
            assert process.wait(20) == 0
        finally:
            process.kill()


@rows(
    "spec, target",
    [(None, "shop:app"), (SimpleNamespace(name="pages.shop"), "pages.shop:app")],
    ids=["a file", "python -m"],
)
def test_settings_are_options_of_the_command(monkeypatch, tmp_path, spec, target):
    """Here, since a program that is replaced can't say which of its lines ran."""
    app, started = App(), []
    program = SimpleNamespace(__file__=f"{tmp_path}/shop.py", __spec__=spec, app=app)
    monkeypatch.setitem(sys.modules, "__main__", program)
    monkeypatch.setattr(os, "execve", lambda *call: started.append(call))
    app.run(port=0, reload=True, uds=None, workers=2)
    [(executable, command, environment)] = started
    assert (executable, command[1:]) == (
        sys.executable, ["-m", "antiphon", "run", target, "--port=0", "--reload", "--workers=2"],
    )  # fmt: skip
    assert (environment.get("PYTHONPATH", "").partition(os.pathsep)[0] == str(tmp_path)) is (spec is None)


def test_an_app_of_another_module_is_refused():
    with pytest.raises(RuntimeError, match="antiphon run module:app"):
        App().run()


def test_the_debug_mode_is_refused_in_code():
    with pytest.raises(ValueError, match="antiphon run --debug"):
        App().run(debug=True)


@pytest.mark.processes
def test_a_setting_that_the_command_lacks_ends_it_with_2(tmp_path):
    (tmp_path / "shop.py").write_text(SHOP.format("color='red'"))
    done = subprocess.run([sys.executable, "shop.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "--color" in done.stderr
