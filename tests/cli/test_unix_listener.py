import os
import shutil
import socket
import stat
import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest

from antiphon.cli.errors import Refused
from antiphon.cli.listener import listen_at

pytestmark = pytest.mark.once


@pytest.fixture
def folder():
    """A folder whose name is short: the paths of sockets are bounded."""
    name = tempfile.mkdtemp(prefix="uds-")
    yield Path(name)
    shutil.rmtree(name)


@pytest.fixture
def path(folder):
    return folder / "app.sock"


def is_answered(path):
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(os.fspath(path)) == 0


def leave_socket(path, kind=socket.SOCK_STREAM):
    """A socket file that nobody listens on."""
    with socket.socket(socket.AF_UNIX, kind) as gone:
        gone.bind(os.fspath(path))


def test_it_listens_until_it_is_closed_which_removes_the_file(path):
    with listen_at(path) as listener:
        assert listener.family == socket.AF_UNIX
        assert listener.getsockname() == os.fspath(path)
        assert is_answered(path)
    assert not path.exists()
    listener.close()


def test_a_relative_path_is_made_absolute(path, monkeypatch):
    monkeypatch.chdir(path.parent)
    with listen_at(path.name) as listener:
        assert listener.getsockname() == os.path.realpath(path)


def test_a_path_where_somebody_listens_is_taken_and_stays_so(path):
    with listen_at(path):
        with pytest.raises(Refused, match=f"The path {path} is taken: another program listens there"):
            listen_at(path)
        assert is_answered(path)


def test_a_server_that_is_too_busy_to_be_connected_to_is_there_all_the_same(path):
    with ExitStack() as stack:
        busy = stack.enter_context(socket.socket(socket.AF_UNIX))
        busy.bind(os.fspath(path))
        busy.listen(0)
        client = stack.enter_context(socket.socket(socket.AF_UNIX))
        client.connect(os.fspath(path))
        with pytest.raises(Refused, match="is taken"):
            listen_at(path)


def test_a_socket_of_another_kind_is_taken_too(path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
        log.bind(os.fspath(path))
        with pytest.raises(Refused, match="is taken"):
            listen_at(path)
    assert path.is_socket()


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_a_socket_that_nobody_listens_on_is_replaced(path, kind):
    leave_socket(path, kind)
    with listen_at(path):
        assert is_answered(path)


def make_link_to_a_socket(path):
    leave_socket(path.with_suffix(".other"))
    path.symlink_to(path.with_suffix(".other"))


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda path: path.write_text("mine"), id="a file"),
        pytest.param(os.mkfifo, id="a pipe"),
        pytest.param(Path.mkdir, id="a folder"),
        pytest.param(make_link_to_a_socket, id="a link to a socket"),
        pytest.param(lambda path: path.symlink_to("nowhere"), id="a link to nothing"),
    ],
)
def test_what_is_no_socket_is_refused_and_left_alone(path, make):
    make(path)
    before = path.lstat()
    with pytest.raises(Refused, match=f"The file at {path} is not a socket"):
        listen_at(path)
    assert (path.lstat().st_ino, path.lstat().st_size) == (before.st_ino, before.st_size)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        pytest.param("", "is not a socket", id="the folder itself"),
        pytest.param("none/app.sock", "No such file or directory", id="no folder"),
        pytest.param("/dev/null/app.sock", "Not a directory", id="in a file"),
        pytest.param("a" * 110, "is too long for a socket", id="too long"),
        pytest.param("\udcff", "is not UTF-8", id="not UTF-8"),
    ],
)
def test_a_path_where_no_socket_can_be(folder, name, message):
    with pytest.raises(Refused, match=message):
        listen_at(folder / name)


@pytest.mark.parametrize(
    ("umask", "permissions", "expected"),
    [
        pytest.param(0o022, None, 0o755, id="as the umask says"),
        pytest.param(0o007, None, 0o770, id="as another umask says"),
        pytest.param(0o077, 0o660, 0o660, id="as asked for"),
    ],
)
def test_permissions(path, umask, permissions, expected):
    before = os.umask(umask)
    try:
        with listen_at(path, permissions):
            assert stat.S_IMODE(path.stat().st_mode) == expected
    finally:
        os.umask(before)


def test_the_file_of_a_server_that_came_later_is_left(path):
    with listen_at(path) as first:
        path.unlink()
        with listen_at(path):
            first.close()
            assert is_answered(path)
    assert not path.exists()


def test_a_file_that_is_gone_already_is_no_error(path):
    with listen_at(path):
        path.unlink()


def test_a_path_is_free_for_the_next_server_at_once(path):
    with listen_at(path) as first:
        kept = socket.socket(fileno=os.dup(first.fileno()))
        first.close()
        with kept, listen_at(path):
            assert is_answered(path)
        assert not path.exists()
