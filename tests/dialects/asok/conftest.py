"""Projects of Asok: the one beside the tests, and those that a test writes, asked in process."""

import importlib.util
import os
import sys
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from antiphon.cli.compare import outcomes, parse_cases
from antiphon.dialects.asok import Asok
from antiphon.testing import Client

PROJECT = Path(__file__).parent / "project"


@pytest.fixture(autouse=True)
def _as_before(monkeypatch):
    """Have what a project changes in the process last no longer than a test."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    environ = {**os.environ}
    monkeypatch.setenv("SECRET_KEY", "a key for tests, of more than 32 characters")
    known = {*sys.modules}
    yield
    os.environ.clear()
    os.environ.update(environ)
    for name in {*sys.modules} - known:
        if name.partition(".")[0].startswith("pages"):
            del sys.modules[name]


@pytest.fixture
def clients():
    """Makes clients of applications, which are closed after the test."""
    with ExitStack() as stack:
        yield lambda app, interface="wsgi", **options: stack.enter_context(
            Client(app, interface, follow_redirects=False, **options)
        )


def write_files(folder, files):
    """Write the files of a project, their texts by their paths, and return its folder.

    A path without a folder is one in ``src/pages``.
    """
    for name, text in files.items():
        path = folder / (name if "/" in name or name == "wsgi.py" else f"src/pages/{name}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


@pytest.fixture
def write(tmp_path):
    """Writes files of a project, and returns its folder."""
    return partial(write_files, tmp_path)


@pytest.fixture
def beside(write, monkeypatch):
    """Sends cases to the ``wsgi.app`` of a project: the cases, each with the response of Asok and of the dialect."""

    def beside(files, text, **environ):
        monkeypatch.chdir(write(files))
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        cases = parse_cases(text.encode(), "the test")
        both = (outcomes(sys.executable, "wsgi:app", cases, dialects) for dialects in ([], ["asok"]))
        return [*zip(cases, *both, strict=True)]

    return beside


@pytest.fixture
def serve(tmp_path, clients):
    """Serves a project of files to a client, by default in a folder of its own.

    ``prepare`` is called with the application before.
    """

    def serve(files, interface="wsgi", prepare=None, folder=None, **options):
        app = Asok(write_files(folder or tmp_path / f"project {len(apps)}", files))
        apps.append(app)
        if prepare is not None:
            prepare(app)
        return clients(app, interface, **options)

    apps = []
    yield serve
    for app in apps:
        if hasattr(app, "session_store"):
            app.session_store.native.close()


@pytest.fixture
def project(clients, monkeypatch):
    """Serves the project beside the tests, by its ``wsgi.py``, to a client."""

    def project(interface="wsgi", **options):
        monkeypatch.chdir(PROJECT)
        monkeypatch.setitem(sys.modules, "asok", importlib.import_module("antiphon.dialects.asok"))
        spec = importlib.util.spec_from_file_location("wsgi", PROJECT / "wsgi.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return clients(module.app, interface, **options)

    return project
