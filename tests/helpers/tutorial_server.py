"""A server of the tutorial's app, in this process."""

import sys
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from socketserver import ThreadingMixIn
from threading import Lock, Thread
from typing import Self
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest

from antiphon import App


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Handler(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Write no log."""


class TutorialServer:
    """A server of the app in a folder, which is loaded anew when a file of it has changed, as by `--reload`."""

    port: int

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._loaded: dict[Path, bytes] = {}
        self._loading = Lock()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            patch = stack.enter_context(pytest.MonkeyPatch.context())
            patch.chdir(self._folder)
            patch.syspath_prepend(self._folder)
            patch.setattr(sys, "dont_write_bytecode", True)
            stack.callback(_forget)
            server = stack.enter_context(make_server("127.0.0.1", 0, self._respond, _Server, _Handler))
            thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
            stack.callback(thread.join)
            stack.callback(server.shutdown)
            thread.start()
            self._exit = stack.pop_all()
        self.port = server.server_port
        return self

    def __exit__(self, *error: object) -> None:
        self._exit.close()

    def _respond(self, environ, start_response):
        with self._loading:
            files = {path: path.read_bytes() for path in self._folder.rglob("*.*") if path.suffix in {".py", ".html"}}
            if files != self._loaded:
                self._loaded, self._app = files, _load()
        return self._app(environ, start_response)


def _load() -> App:
    _forget()
    module = import_module("guestbook")
    return module.app if isinstance(getattr(module, "app", None), App) else module.make_app()


def _forget() -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] in {"guestbook", "test_guestbook"}]:
        del sys.modules[name]
