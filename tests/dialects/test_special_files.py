"""Files that are not regular are not served: opening one end of a pipe waits for the other."""

import os
import sys

import pytest

from antiphon.adapters.foreign.environ_host import BridgedApplication
from antiphon.dialects.pyramid.config import Configurator
from antiphon.dialects.webob.static import DirectoryApp, FileApp
from antiphon.testing import Client
from tests.helpers.rows import rows

pytestmark = [
    pytest.mark.once,
    pytest.mark.axes("interface"),
    pytest.mark.skipif(sys.platform == "win32", reason="it has no named pipes"),
]


def pyramid(folder):
    config = Configurator()
    config.add_static_view("", str(folder))
    return config.make_wsgi_app()


def file(folder):
    return BridgedApplication(FileApp(str(folder / "pipe")))


def directory(folder):
    return BridgedApplication(DirectoryApp(str(folder)))


@rows("program", [pyramid, file, directory])
def test_a_pipe_is_not_found(program, interface, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    other_end = os.open(tmp_path / "pipe", os.O_RDWR | os.O_NONBLOCK)  # so that nothing waits where this fails
    try:
        with Client(program(tmp_path), interface) as client:
            assert client.get("/pipe").status == 404
    finally:
        os.close(other_end)


def test_a_device_is_not_found(interface):
    with Client(BridgedApplication(FileApp(os.devnull)), interface) as client:
        assert client.get("/").status == 404
