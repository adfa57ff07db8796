"""`pytest --antiphon-dialect`: the option that runs the tests of other projects on a dialect."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

pytestmark = [pytest.mark.once, pytest.mark.processes]

CONFTEST = """
import werkzeug.wrappers

def pytest_report_header():
    return werkzeug.wrappers.Request.__module__
"""


@pytest.fixture
def project(tmp_path):
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "early.py").write_text("import werkzeug\n")
    (tmp_path / "test_it.py").write_text(
        "from werkzeug.test import Client\n"
        "from werkzeug.wrappers import Request, Response\n"
        "def test_hello():\n"
        "    app = Request.application(lambda request: Response(request.path))\n"
        "    assert Client(app).get('/a').text == '/a'\n"
    )

    def run(*arguments):
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)

    return run


PLUGIN = ("-p", "antiphon.testing.plugin")


def test_with_the_option_even_a_conftest_finds_the_dialect(project):
    finished = project(*PLUGIN, "--antiphon-dialect=werkzeug")
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "antiphon dialects: werkzeug\n" in finished.stdout
    assert "\nantiphon.dialects.werkzeug.wrappers" in finished.stdout


@pytest.mark.once
def test_without_the_option_nothing_happens(project):
    finished = project(*PLUGIN)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "antiphon dialects" not in finished.stdout
    assert "\nwerkzeug.wrappers" in finished.stdout


def test_loaded_first_it_is_before_other_plugins(project):
    finished = project(*PLUGIN, "-p", "early", "--antiphon-dialect=werkzeug")
    assert finished.returncode == 0, finished.stdout + finished.stderr


@pytest.mark.once
def test_a_configuration_file_may_have_the_option(project, tmp_path):
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --antiphon-dialect=werkzeug\n")
    assert "antiphon dialects: werkzeug\n" in project(*PLUGIN).stdout


@pytest.mark.once
@pytest.mark.parametrize("order", [(*PLUGIN, "--antiphon-dialect=werkzeug"), ("--antiphon-dialect=werkzeug", *PLUGIN)])
def test_where_pytest_rewrites_all_modules_the_dialect_is_found(project, tmp_path, order):
    """Its import hook, which stands first, finds files itself."""
    (tmp_path / "pytest.ini").write_text("[pytest]\npython_files = *.py\n")
    finished = project(*order)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "\nantiphon.dialects.werkzeug.wrappers" in finished.stdout


@pytest.mark.once
def test_programs_that_a_test_starts_find_the_dialect(project, tmp_path):
    (tmp_path / "site").mkdir()
    (tmp_path / "site/sitecustomize.py").write_text("import sys\nsys.customized = True\n")
    (tmp_path / "test_it.py").write_text(
        "import os, subprocess, sys\n"
        "def test_child():\n"
        "    print_names = 'import sys, werkzeug; print(werkzeug.__spec__.name, sys.customized)'\n"
        "    environment = {**os.environ, 'PYTHONPATH': os.pathsep.join([os.environ['PYTHONPATH'], 'site'])}\n"
        "    printed = subprocess.check_output([sys.executable, '-c', print_names], text=True, env=environment)\n"
        "    assert (printed, os.environ['ANTIPHON_DIALECT']) == ('antiphon.dialects.werkzeug True\\n', 'werkzeug')\n"
    )
    finished = project(*PLUGIN, "--antiphon-dialect=werkzeug")
    assert finished.returncode == 0, finished.stdout + finished.stderr


@pytest.mark.once
def test_a_run_in_which_the_original_was_imported_fails_and_names_it(project, tmp_path):
    (tmp_path / "test_it.py").write_text(
        "import sys\n"
        "def test_it():\n"
        "    for name in [name for name in sys.modules if name.partition('.')[0] == 'werkzeug']:\n"
        "        del sys.modules[name]\n"
        "    sys.meta_path[:] = [each for each in sys.meta_path if 'StandIn' not in type(each).__name__]\n"
        "    import werkzeug.urls\n"
    )
    finished = project(*PLUGIN, "--antiphon-dialect=werkzeug")
    assert finished.returncode == pytest.ExitCode.TESTS_FAILED, finished.stdout + finished.stderr
    assert "werkzeug was imported from the original, /" in finished.stdout


@pytest.mark.once
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param([*PLUGIN, "--antiphon-dialect=werkzeugg"], "There is no dialect 'werkzeugg'.", id="unknown"),
        pytest.param(
            ["-p", "early", *PLUGIN, "--antiphon-dialect=werkzeug"],
            "werkzeug was imported from the original",
            id="too late",
        ),
    ],
)
def test_what_cannot_be_installed_is_an_error_of_usage(project, arguments, words):
    finished = project(*arguments)
    assert finished.returncode == pytest.ExitCode.USAGE_ERROR
    assert words in finished.stderr
    assert "Traceback" not in finished.stderr


@pytest.mark.once
def test_it_loads_little_of_antiphon():
    script = (
        "import sys, antiphon.testing.plugin as plugin\n"
        "plugin._install([])\n"
        "print(sum(name.partition('.')[0] == 'antiphon' for name in sys.modules))"
    )
    finished = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert int(finished.stdout) < 10


@pytest.mark.once
def test_pytest_does_not_load_it_by_itself():
    groups = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]["entry-points"]
    assert "pytest11" not in groups
