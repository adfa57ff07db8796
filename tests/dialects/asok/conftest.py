"""Projects of Asok: the one beside the tests, and those that a test writes, asked in process."""

import importlib.util
import os
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from antiphon.dialects.asok import Asok
from antiphon.testing import Client

PROJECT = Path(__file__).parent / "project"


@pytest.fixture(autouse=True)
def _as_before(monkeypatch):
    """Have what a project changes in the process last no longer than a test."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(os, "environ", os.environ.copy())
    monkeypatch.setenv("SECRET_KEY", "a key for tests, of more than 32 characters")
    known = {*sys.modules}
    yield
    for name in {*sys.modules} - known:
        if name.partition(".")[0].startswith("pages"):
            del sys.modules[name]


@pytest.fixture(params=["wsgi", "asgi", "rsgi"])
def interface(request):
    return request.param


@pytest.fixture
def clients():
    """Makes clients of applications, which are closed after the test."""
    with ExitStack() as stack:
        yield lambda app, interface="wsgi", **options: stack.enter_context(
            Client(app, interface, follow_redirects=False, **options)
        )


@pytest.fixture
def write(tmp_path):
    """Writes files of a project, their texts by their paths, and returns its folder.

    A path without a folder is one in ``src/pages``.
    """

    def write(files):
        for name, text in files.items():
            path = tmp_path / (name if "/" in name else f"src/pages/{name}")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return tmp_path

    return write


@pytest.fixture
def serve(write, clients):
    """Serves a project of files to a client; ``prepare`` is called with the application before."""

    def serve(files, interface="wsgi", prepare=None, **options):
        app = Asok(write(files))
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
