"""Files of bodies are closed when their requests end, however that is: nothing is left to the garbage collector."""

import gc
import socket
import sys
from contextlib import closing

import pytest

from antiphon.dialects.microdot import Request
from tests.dialects import programs
from tests.helpers.open_files import open_in
from tests.helpers.rows import rows
from tests.helpers.waiting import DEADLINE, eventually

pytestmark = [
    pytest.mark.once,
    pytest.mark.axes("interface"),
    pytest.mark.skipif(sys.platform != "linux", reason="looks at what the process has open"),
]

PART = b'--x\r\nContent-Disposition: form-data; name="a"; filename="f"\r\n\r\n'
FORM = PART + bytes(3 << 20) + b"\r\n--x--\r\n"
REFUSED = PART + bytes(2 << 20) + b"\r\n" + (PART + b"\r\n") * 10_001 + b"--x--\r\n"
HEAD = (
    b"POST /%s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    b"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: %d\r\n\r\n"
)
ENDS = {
    "read": (b"form", FORM, b"200"), "read as bytes": (b"read", FORM, b"200"), "not found": (b"refuse", FORM, b"404"),
    "failing": (b"fail", FORM, b"500"), "refused": (b"form", REFUSED, b"413"), "cut off": (b"form", FORM, None),
}  # fmt: skip
"""Paths, what is sent, and the statuses; None for a client that leaves."""


@pytest.fixture
def folder(monkeypatch, tmp_path):
    """The folder of temporary files, while the garbage collector stands still."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for name in ("max_content_length", "max_body_length"):
        monkeypatch.setattr(Request, name, 4 << 20)
    gc.collect()
    gc.disable()
    yield tmp_path
    programs.kept.clear()
    gc.enable()


@pytest.mark.parametrize("program", programs.ALL)
def test_no_file_outlives_its_request(folder, program, interface):
    @rows("path, form, status", ENDS.values(), ids=ENDS)
    def is_closed(path, form, status):
        with closing(socket.create_connection(address, DEADLINE)) as client:
            client.sendall(HEAD % (path, len(form)))
            if status is None:
                client.sendall(form[: len(form) // 2])
                eventually(lambda: open_in(folder) or None, "nothing was received")
            else:
                client.sendall(form)
                assert client.recv(1 << 16)[9:12] == status
        programs.kept.clear()
        eventually(lambda: None if open_in(folder) else True, "files are still open")

    with programs.served(program, interface) as address:
        is_closed()
