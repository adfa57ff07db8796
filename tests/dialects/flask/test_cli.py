"""The `flask` command: how it finds an application, which commands it has, and in which context they run."""

import os
import sys
from importlib.metadata import EntryPoint
from types import ModuleType, SimpleNamespace

import click
import pytest
from click.testing import CliRunner

from antiphon.dialects.flask import Blueprint, Flask, cli, current_app
from antiphon.dialects.flask.cli import AppGroup, FlaskGroup, NoAppException, ScriptInfo
from antiphon.dialects.werkzeug import serving
from tests.helpers.rows import rows

BOOK = "from antiphon.dialects.flask import Flask\n"


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for name in ("FLASK_APP", "FLASK_DEBUG", "FLASK_RUN_FROM_CLI"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setattr(sys, "path", [*sys.path])
    before = {*sys.modules}
    yield
    for name in {*sys.modules} - before:
        if not name.startswith("antiphon"):
            del sys.modules[name]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "shop", raising=False)  # of another test
    return tmp_path


def module(**names):
    made = ModuleType("made")
    vars(made).update(names)
    return made


def needs(name):
    return Flask(name)


def fails():
    raise TypeError("in the factory")


@rows(
    "names, found",
    ({"app": Flask("a"), "other": Flask("b")}, "a"),
    ({"application": Flask("a"), "other": Flask("b")}, "a"),
    ({"mine": Flask("a"), "text": "b"}, "a"),
    ({"create_app": lambda: Flask("a")}, "a"),
    ({"make_app": lambda: Flask("a"), "create_app": lambda: None}, "a"),
    ({"create_app": lambda name="a": Flask(name)}, "a"),
)
def test_the_best_application_of_a_module(names, found):
    assert cli.find_best_app(module(**names)).name == found


@rows(
    "names, error, told",
    ({}, NoAppException, "Failed to find Flask application"),
    ({"a": Flask("a"), "b": Flask("b")}, NoAppException, "made:name"),
    ({"create_app": needs}, NoAppException, r"made:create_app\("),
    ({"create_app": fails}, TypeError, "in the factory"),
    ({"app": "text"}, NoAppException, "Failed to find Flask application"),
)
def test_no_best_application(names, error, told):
    with pytest.raises(error, match=told):
        cli.find_best_app(module(**names))


@rows(
    "text, found",
    ("app", "app"), ("make", "default"), ("make()", "default"), (" make('a') ", "a"), ("make(name='a',)", "a"),
    ("make(['a'][0])", None), ("make(", None), ("make + 1", None), ("sub.make()", None), ("none", None),
    ("text", None), ("needs()", None),
)  # fmt: skip
def test_an_application_by_a_name_or_a_call(text, found):
    names = module(app=Flask("app"), make=lambda name="default": Flask(name), text="text", needs=needs)
    if found is not None:
        assert cli.find_app_by_string(names, text).name == found
    else:
        with pytest.raises(NoAppException):
            cli.find_app_by_string(names, text)


@rows(
    "path, name, root",
    ("one.py", "one", ""), ("one", "one", ""), ("package", "package", ""), ("package/__init__.py", "package", ""),
    ("package/inner/deep.py", "package.inner.deep", ""), ("plain/two.py", "two", "plain"),
    ("package.inner.deep", "package.inner.deep", ""),
)  # fmt: skip
def test_the_name_of_a_module_by_its_path(tmp_path, monkeypatch, path, name, root):
    monkeypatch.chdir(tmp_path)
    for each in ("package", "package/inner", "plain"):
        (tmp_path / each).mkdir()
        if each != "plain":
            (tmp_path / each / "__init__.py").touch()
    assert cli.prepare_import(path) == name
    assert sys.path[0] == str((tmp_path / root).resolve())


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("book", "book"), ("book:other", "other"), ("book.py:make('called')", "called"), (None, "found"),
        ("missing", NoAppException), ("broken", NoAppException),
    ],
)  # fmt: skip
def test_an_application_is_loaded_once(folder, path, told):
    (folder / "book.py").write_text(BOOK + "app = Flask('book')\nother = Flask('other')\nmake = lambda n: Flask(n)")
    (folder / "wsgi.py").write_text(BOOK + "application = Flask('found')")
    (folder / "broken.py").write_text("import there_is_no_such_module")
    info = ScriptInfo(path)
    if told is NoAppException:
        with pytest.raises(NoAppException, match="missing" if path == "missing" else "there_is_no_such_module"):
            info.load_app()
    else:
        assert info.load_app().name == told
        assert info.load_app() is info.load_app()


def test_where_no_application_is_nothing_is_found(folder):
    with pytest.raises(NoAppException, match=r"wsgi\.py"):
        ScriptInfo().load_app()


def run(arguments, **options):
    return CliRunner().invoke(cli.cli, arguments, **options)


@pytest.fixture
def shop(folder):
    (folder / "shop.py").write_text(
        f"import click\n{BOOK}from antiphon.dialects.flask import Blueprint, current_app\n"
        "app = Flask('shop')\npart = Blueprint('part', 'shop')\n"
        "@app.cli.command()\n@click.option('--times', default=1)\n"
        "def greet(times):\n    '''Say it.'''\n    click.echo(f'{current_app.name} {current_app.debug}' * times)\n"
        "@part.cli.command('count')\ndef count():\n    click.echo(current_app.name)\n"
        "app.register_blueprint(part)\n"
        "@app.route('/')\ndef index(): ...\n"
        "@app.post('/items/<int:id>')\ndef item(id): ...\n"
        "app.run()\n"
    )
    return folder


def test_the_environment_names_the_application_too(shop, monkeypatch):
    monkeypatch.setenv("FLASK_APP", "shop")
    for arguments in ([], ["--help"]):
        output = run(arguments).output
        assert "greet" in output
        assert "Say it." in output
        assert {"run", "shell", "routes", "part"} <= {*output.split()}
        assert not current_app


@pytest.mark.parametrize(
    ("options", "reloads", "shows"),
    [
        ("", False, False),
        ("--debug", True, True),
        ("--debug --no-reload", False, True),
        ("--debug --no-debugger", True, False),
        ("--reload", True, False),
        ("--debugger", False, True),
    ],
)
def test_debugging_reloads_and_shows_errors_unless_told_otherwise(shop, monkeypatch, options, reloads, shows):
    seen = {}
    monkeypatch.setattr(serving, "run_simple", lambda *_, **options: seen.update(options))
    assert run(["--app", "shop", "run", *options.split()]).exit_code == 0
    assert (seen["use_reloader"], seen["use_debugger"]) == (reloads, shows)


def test_routes_are_printed(shop):
    lines = run(["-A", "shop", "routes"]).output.splitlines()[-5:]
    assert [line.split() for line in lines] == [
        ["Endpoint", "Methods", "Rule"],
        ["--------", "-------", lines[1].split()[2]],
        ["index", "GET", "/"],
        ["item", "POST", "/items/<int:id>"],
        ["static", "GET", "/static/<path:filename>"],
    ]
    assert "HEAD, OPTIONS" in run(["-A", "shop", "routes", "--all-methods", "--sort", "rule"]).output


def test_routes_of_hosts():
    app = Flask("hosts", static_folder=None, subdomain_matching=True)
    assert app.test_cli_runner().invoke(cli.routes_command).output == "No routes were registered.\n"
    app.add_url_rule("/", "index", subdomain="api")
    output = app.test_cli_runner().invoke(cli.routes_command, ["-s", "domain"]).output
    assert output.splitlines()[0].split() == ["Endpoint", "Methods", "Subdomain", "Rule"]


def test_a_shell_knows_the_names_of_the_application(shop):
    result = run(["-A", "shop", "shell"], input="print(app.name, g)\n")
    assert "shop <flask.g of 'shop'>" in result.output


def test_a_wrong_application_is_told(folder):
    result = run(["-A", "none", "greet"])
    assert result.exit_code == 2
    assert "Could not import 'none'" in result.output
    assert "No such command 'greet'" in result.output


@pytest.mark.parametrize(("is_worker", "error"), [(True, ModuleNotFoundError), (False, SystemExit)])
def test_a_worker_shows_why_an_application_can_t_be_imported(folder, monkeypatch, is_worker, error):
    (folder / "broken.py").write_text("import there_is_no_such_module")
    monkeypatch.setattr("antiphon.dialects.flask.cli.commands._loading", [True] * is_worker)
    assert type(run(["-A", "broken", "run"]).exception) is error


def test_versions():
    assert "Flask 3.1" in run(["--version"]).output


def test_commands_that_packages_install(monkeypatch):
    plugin = EntryPoint("plugged", "plugs:command", "flask.commands")
    monkeypatch.setattr(EntryPoint, "load", lambda self: click.Command(self.name, callback=lambda: click.echo("in")))
    monkeypatch.setattr("importlib.metadata.entry_points", lambda **names: [plugin] if names["group"] else [])
    assert CliRunner().invoke(FlaskGroup(), ["plugged"]).output == "in\n"


def test_a_command_of_one_s_own():
    group = FlaskGroup(create_app=lambda: Flask("own"))

    @group.command()
    def name():
        click.echo(current_app.name)

    @group.command(with_appcontext=False)
    def nameless():
        click.echo(bool(current_app))

    @group.group()
    def inner(): ...

    inner.command("deep")(lambda: click.echo(current_app.name))
    assert isinstance(inner, AppGroup)
    runs = [CliRunner().invoke(group, words).output for words in (["name"], ["nameless"], ["inner", "deep"])]
    assert runs == ["own\n", "False\n", "own\n"]


@rows("group, words", [(None, "count"), ("named", "named count"), ("part", "part count")])
def test_commands_of_a_blueprint(group, words):
    app = Flask("app")
    part = Blueprint("part", "app", cli_group=group)
    part.cli.command("count")(lambda: click.echo(current_app.name))
    app.register_blueprint(part)
    assert app.test_cli_runner().invoke(args=words.split()).output == "app\n"


def values_of(path, **_):
    with open(path) as file:
        return dict(line.strip().split("=") for line in file)


@pytest.mark.parametrize("has_dotenv", [True, False])
def test_variables_from_files(folder, monkeypatch, has_dotenv):
    dotenv = SimpleNamespace(find_dotenv=lambda name, **_: str(folder / name), dotenv_values=values_of)
    monkeypatch.setitem(sys.modules, "dotenv", dotenv if has_dotenv else None)
    for name in ("FROM_ENV", "FROM_FLASKENV", "FROM_BOTH", "SET"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setenv("SET", "before")
    (folder / ".env").write_text("FROM_ENV=1\nFROM_BOTH=env\nSET=file\n")
    (folder / ".flaskenv").write_text("FROM_FLASKENV=1\nFROM_BOTH=flaskenv\n")
    assert cli.load_dotenv() is has_dotenv
    found = {name: os.environ.get(name) for name in ("FROM_ENV", "FROM_FLASKENV", "FROM_BOTH", "SET")}
    expected = {"FROM_ENV": "1", "FROM_FLASKENV": "1", "FROM_BOTH": "env"} if has_dotenv else {}
    assert found == {"FROM_ENV": None, "FROM_FLASKENV": None, "FROM_BOTH": None, "SET": "before"} | expected


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--cert", "cert.pem"], "Required when using"),
        (["--key", "key.pem"], '"--cert" must also be specified'),
        (["--cert", "adhoc"], "needs the cryptography package"),
        (["--cert", "ssl_contexts.made"], "a pair of paths"),
        (["--cert", "ssl_contexts.made", "--key", "key.pem"], "is not used"),
        (["--cert", "none.pem", "--key", "key.pem"], "does not exist"),
        (["--cert", "./none.pem", "--key", "key.pem"], "does not exist"),
        (["--cert", "certs", "--key", "key.pem"], "is a directory"),
    ],
)
def test_a_certificate_needs_its_key(shop, monkeypatch, options, told):
    for name in ("cert.pem", "key.pem"):
        (shop / name).touch()
    (shop / "certs").mkdir()
    (shop / "ssl_contexts.py").write_text("import ssl\nmade = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)\n")
    monkeypatch.syspath_prepend(str(shop))
    monkeypatch.setitem(sys.modules, "cryptography", None)
    result = run(["-A", "shop", "run", *options])
    assert result.exit_code == 2
    assert told in result.output
