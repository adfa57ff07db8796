"""Settings: a flag, or else the environment, or else the file `.env` beside the application."""

import os

import pytest
from click.testing import CliRunner

from antiphon.cli.main import main, run, socket_path
from antiphon.cli.settings import add_to_environment
from tests.helpers.rows import rows

pytestmark = pytest.mark.once


@pytest.fixture
def settings(tmp_path, monkeypatch):
    """A function that returns the parameters of `antiphon run` under arguments, an environment and a `.env`."""
    monkeypatch.chdir(tmp_path)

    def of(arguments="", environment=None, env_file=None):
        if env_file is not None:
            (tmp_path / ".env").write_text(env_file)
        for name, value in (environment or {}).items():
            monkeypatch.setenv(name, value)
        return run.make_context("run", arguments.split()).params

    return of


@pytest.mark.parametrize(
    ("arguments", "environment", "env_file", "expected"),
    [
        ("", {}, "", {"port": 8000, "workers": 1, "target": None, "host": "127.0.0.1"}),
        ("", {"PORT": "81"}, "", {"port": 81}),
        ("", {"PORT": "81", "ANTIPHON_PORT": "82"}, "", {"port": 82}),
        ("--port 83", {"PORT": "81", "ANTIPHON_PORT": "82"}, "PORT=84", {"port": 83}),
        ("", {"PORT": "81"}, "ANTIPHON_PORT=84", {"port": 81}),
        ("", {"PORT": ""}, "PORT=84\nANTIPHON_PORT=85", {"port": 85}),
        ("", {"WEB_CONCURRENCY": "3"}, "", {"workers": 3}),
        ("", {"WEB_CONCURRENCY": "3", "ANTIPHON_WORKERS": "4"}, "", {"workers": 4}),
        ("", {"ANTIPHON_HOST": "::1", "ANTIPHON_GRACE": "5"}, "", {"host": "::1", "grace": 5.0}),
        ("news:app", {}, "ANTIPHON_INTERFACE=wsgi", {"target": "news:app", "interface": "wsgi"}),
        ("", {"ANTIPHON_DIALECT": "kay werkzeug"}, "", {"dialects": ("kay", "werkzeug")}),
        ("", {}, "ANTIPHON_DIALECT='kay werkzeug'", {"dialects": ("kay", "werkzeug")}),
        ("", {}, "ANTIPHON_UDS_PERMISSIONS=660", {"uds_permissions": 0o660}),
    ],
)
def test_a_flag_comes_before_the_environment_and_that_before_the_file(
    settings, arguments, environment, env_file, expected
):
    params = settings(arguments, environment, env_file)
    assert {name: params[name] for name in expected} == expected


@rows(
    "arguments, environment, path",
    ("", {"ANTIPHON_UDS": "a.sock", "PORT": "81"}, "a.sock"),
    ("--port 83", {"ANTIPHON_UDS": "a.sock"}, None),
    ("--host ::1", {"ANTIPHON_UDS": "a.sock", "ANTIPHON_UDS_PERMISSIONS": "660"}, None),
    ("--uds b.sock", {"ANTIPHON_UDS": "a.sock", "PORT": "81"}, "b.sock"),
)
def test_a_flag_for_a_port_comes_before_a_socket_of_the_environment(
    tmp_path, monkeypatch, arguments, environment, path
):
    monkeypatch.chdir(tmp_path)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    context = run.make_context("run", arguments.split())
    assert socket_path(context, context.params["uds"]) == path


@rows(
    "environment, env_file, words",
    ({"PORT": "web"}, "", ["'web'", "PORT"]),
    ({"ANTIPHON_INTERFACE": "cgi"}, "", ["'cgi'", "ANTIPHON_INTERFACE"]),
    ({}, "ANTIPHON_WORKERS=0", ["ANTIPHON_WORKERS", "x>=1"]),
    ({}, "A=1\nB='2\n", [".env, line 2"]),
    ({}, "A=\udcff", [".env can't be read as UTF-8"]),
)
def test_a_bad_setting_is_named(tmp_path, monkeypatch, environment, env_file, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text(env_file, errors="surrogateescape")
    result = CliRunner().invoke(main, ["run", "shop:app"], env=environment)
    assert result.exit_code == 2
    for word in words:
        assert word in result.output


@rows(
    "environment, env_file, warning",
    (
        {"ANTIPHON_WORKES": "2"},
        "",
        "ANTIPHON_WORKES is not a setting, so it is ignored. Did you mean ANTIPHON_WORKERS?",
    ),
    (
        {"ANTIPHON_WORKER": "2"},
        "",
        "ANTIPHON_WORKER is not a setting, so it is ignored. Did you mean ANTIPHON_WORKERS?",
    ),
    ({}, "ANTIPHON_PROT=80", "ANTIPHON_PROT is not a setting, so it is ignored. Did you mean ANTIPHON_PORT?"),
    ({"ANTIPHON_XYZ": "2"}, "", "ANTIPHON_XYZ is not a setting, so it is ignored."),
    (
        {"ANTIPHON_PURE": "0", "ANTIPHON_READS_CODE": "1", "ANTIPHON_WORKERS": "2", "PORT": "0"},
        "ANTIPHON_APP=shop:app\nANTIPHONY=1",
        None,
    ),
)
def test_a_name_that_is_no_setting_is_a_warning(tmp_path, monkeypatch, environment, env_file, warning):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text(env_file)
    result = CliRunner().invoke(main, ["run", "missing:app", "--port", "x"], env=environment)
    assert result.output.startswith(f"Warning: {warning}\n" if warning else "Usage:")


def test_the_application_sees_other_names_of_the_file_unless_they_are_set(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("A", "1")
    for name in ("B", "PORT"):  # set and deleted, so that they are as they were before after the test
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    (tmp_path / ".env").write_text("A=2\nB=3\nPORT=4\nANTIPHON_PORT=5")
    add_to_environment(tmp_path / ".env")
    assert (os.environ["A"], os.environ["B"]) == ("1", "3")
    assert "ANTIPHON_PORT" not in os.environ


@pytest.mark.processes
def test_the_line_names_the_setting_that_decided(antiphon, tmp_path):
    (tmp_path / ".env").write_text("ANTIPHON_APP=settings:app\nANTIPHON_INTERFACE=wsgi\nGREETING=hello\n")
    (tmp_path / "settings.py").write_text("import os\nfrom apps import wsgi as app\nassert os.environ['GREETING']\n")
    command = antiphon().serving()
    assert command.out.endswith("(wsgi: requested by ANTIPHON_INTERFACE in .env)\n")
