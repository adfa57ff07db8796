"""The file that a WSGI server gets to send is a file of exactly the bytes that are to be sent."""

import io
import os

import pytest

from antiphon.adapters.file_wrapper import FilePart, wrap_file
from antiphon.response.files import FileBody
from tests.helpers.rows import rows

CONTENT = bytes(range(100))
PARTS = {"whole": (0, 100), "beginning": (0, 30), "middle": (20, 50), "end": (70, 30), "nothing": (50, 0)}
STEPS = {
    "read": lambda file: file.read(),
    "read in pieces": lambda file: [file.read(7), file.read(0), file.read(1000), file.read(7)],
    "read to None": lambda file: [file.read(3), file.read(None)],
    "seek": lambda file: [file.seek(5), file.tell(), file.read(4), file.seek(0), file.read()],
    "seek from here": lambda file: [file.read(4), file.seek(2, os.SEEK_CUR), file.tell()],
    "seek to the end": lambda file: [file.seek(0, os.SEEK_END), file.read(1), file.seek(0), file.read(1)],
    "buffered": lambda file: [io.BufferedReader(file).read(9)],
    "abilities": lambda file: [file.readable(), file.seekable(), file.writable(), file.closed],
}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    return path


@rows("steps", STEPS.values(), ids=STEPS)
@rows("part", PARTS.values(), ids=PARTS)
def test_a_part_reads_as_a_file_of_its_bytes(path, part, steps):
    offset, length = part
    own = io.BytesIO(CONTENT[offset : offset + length])
    own.writable = lambda: False
    with FilePart(FileBody(str(path), offset, length)) as file:
        assert steps(file) == steps(own)


@rows("read", [lambda file: file.read(), lambda file: file.readinto(bytearray(100))])
def test_a_file_that_became_shorter_breaks_off(path, read):
    path.write_bytes(CONTENT)
    with FilePart(FileBody(str(path), 0, 100)) as file:
        assert file.read(40) == CONTENT[:40]
        os.truncate(path, 40)
        with pytest.raises(EOFError, match="became shorter"):
            read(file)


def test_a_file_that_cannot_be_opened_is_not_wrapped(path):
    environ = {"wsgi.file_wrapper": lambda file, size: [file.read()]}
    assert wrap_file(FileBody(str(path), 20, 50), environ, False) == [CONTENT[20:70]]
    assert wrap_file(FileBody(str(path), 20, 50), {}, False) is None
    assert wrap_file(FileBody(str(path), 20, 50), environ, True) is None  # of a response to HEAD
    assert wrap_file(iter([CONTENT]), environ, False) is None
    path.unlink()
    assert wrap_file(FileBody(str(path), 20, 50), environ, False) is None
