"""Failures of an application to load, as the terminal shows them."""

import importlib
import sys

import pytest

from antiphon.cli.target import explain_failure

MODULES = {
    "shop/__init__.py": "",
    "shop/orders.py": "import shop.rates\n",
    "shop/rates.py": "import json\n\n\ndef read(text):\n    return json.loads(text)\n\n\nrates = read('{')\n",
    "shop/syntax.py": "def app(:\n    pass\n",
    "shop/config.py": (
        "try:\n    {}['database']\nexcept KeyError as error:\n    raise RuntimeError('no database') from error\n"
    ),
    "shop/group.py": (
        "errors = []\n"
        "for port in (1, 2):\n"
        "    try:\n"
        "        raise OSError(f'port {port}')\n"
        "    except OSError as error:\n"
        "        errors.append(error)\n"
        "raise ExceptionGroup('the startup failed', errors)\n"
    ),
    "shop/routes.py": "from antiphon import App\n\napp = App()\n\n\n@app.get('/<int:')\ndef item(request): ...\n",
    "shop/word.py": "from antiphon import App\n\napp = App(debug=True)\n",
    "shop/long.py": "raise ValueError('\\n'.join(map(str, range(100))))\n",
    "shop/deep.py": "def call(depth):\n    return call(depth + 1)\n\n\ncall(0)\n",
}

EXPECTED = {
    "orders": [
        "  shop/orders.py, line 1: import shop.rates",
        "  shop/rates.py, line 8: rates = read('{')",
        "  shop/rates.py, line 5: return json.loads(text)",
        "  .../json/decoder.py, line ...",
        "json.decoder.JSONDecodeError: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
    ],
    "syntax": ['  File "shop/syntax.py", line 1', "    def app(:", "            ^", "SyntaxError: invalid syntax"],
    "config": [
        "  shop/config.py, line 4: raise RuntimeError('no database') from error",
        "RuntimeError: no database",
        "  raised from KeyError: 'database'",
    ],
    "group": [
        "  shop/group.py, line 7: raise ExceptionGroup('the startup failed', errors)",
        "ExceptionGroup: the startup failed (2 sub-exceptions)",
        "  shop/group.py, line 4: raise OSError(f'port {port}')",
        "  OSError: port 1",
        "  shop/group.py, line 4: raise OSError(f'port {port}')",
        "  OSError: port 2",
    ],
    "routes": [
        "  shop/routes.py, line 6: @app.get('/<int:')",
        "ValueError: ...",
        "To read more: antiphon explain bad-path",
    ],
    "word": [
        "  shop/word.py, line 3: app = App(debug=True)",
        "TypeError: App has no argument 'debug'; use antiphon run --debug",
        "To read more: antiphon explain app-takes-settings",
    ],
}


@pytest.fixture
def failed(tmp_path, monkeypatch):
    """Imports a module of a project, and returns the lines of the report."""
    (tmp_path / "shop").mkdir()
    for path, text in MODULES.items():
        (tmp_path / path).write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))

    def load(name):
        with pytest.raises(Exception) as caught:  # noqa: PT011 - each of its own type
            importlib.import_module(f"shop.{name}")
        # From here on, as from the command: its own frames are not those of the user.
        caught.value.__traceback__ = caught.tb.tb_next
        return explain_failure("It failed:", caught.value).splitlines()

    yield load
    for name in [name for name in sys.modules if name.partition(".")[0] == "shop"]:
        del sys.modules[name]


@pytest.mark.parametrize("name", EXPECTED)
def test_it_has_the_users_own_frames_and_the_error(failed, name):
    told = failed(name)
    assert told[0] == "It failed:"
    assert len(told) == len(EXPECTED[name]) + 1
    for line, expected in zip(told[1:], EXPECTED[name], strict=True):
        start, *rest = expected.split("...")
        assert line.startswith(start)
        assert all(part.strip(", ") in line for part in rest)


@pytest.mark.parametrize("name", ["long", "deep"])
def test_it_has_fifteen_lines_at_most(failed, name):
    assert len(failed(name)) <= 15
