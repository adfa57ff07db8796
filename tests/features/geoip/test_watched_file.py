"""A file is read once, and again when it was replaced, while the version before is used."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from antiphon.features.geoip.feature import LOOK_EVERY, WatchedFile


@pytest.fixture
def path(tmp_path):
    (tmp_path / "file").write_text("old")
    return tmp_path / "file"


class Reader:
    """A function that reads files, and counts that; one with "bad" in it can't be read."""

    def __init__(self):
        self.times = 0
        self.may_read = threading.Event()
        self.may_read.set()

    def __call__(self, path):
        self.times += 1
        assert self.may_read.wait(30)
        with open(path) as file:
            text = file.read()
        if "bad" in text:
            raise ValueError("no good")
        return text


class Looking:
    """A watched file, at which a test looks at times of its own."""

    def __init__(self, path):
        self.now = 0.0
        self.read = Reader()
        self.file = WatchedFile(str(path), self.read, clock=lambda: self.now)

    def look(self):
        """The contents when the time to look has come, and what that began is done."""
        self.now += LOOK_EVERY
        self.file.contents()
        if self.file._reading is not None:
            self.file._reading.join(30)
        return self.file.contents()


def replace(path, text):
    path.with_suffix(".new").write_text(text)
    os.replace(path.with_suffix(".new"), path)


def test_it_is_read_once_by_many_threads_at_once(path):
    read = Reader()
    file = WatchedFile(str(path), read)
    read.may_read.clear()
    with ThreadPoolExecutor(8) as pool:
        found = [pool.submit(file.contents) for _ in range(8)]
        read.may_read.set()
        assert {each.result(30) for each in found} == {"old"}
    assert read.times == 1


def test_a_new_version_is_taken_when_it_has_stayed_for_a_while(path):
    looking = Looking(path)
    assert looking.look() == "old"
    replace(path, "new")
    assert looking.file.contents() == "old"  # too early to look
    assert looking.look() == "old"
    path.write_text("longer than before")  # still being written
    assert looking.look() == "old"
    assert looking.look() == "longer than before"
    looking.look()
    assert looking.read.times == 2


def test_who_asks_does_not_wait_while_it_is_read(path):
    looking = Looking(path)
    looking.look()
    replace(path, "new")
    looking.look()
    looking.read.may_read.clear()
    for _ in range(3):
        looking.now += LOOK_EVERY
        assert looking.file.contents() == "old"
    looking.read.may_read.set()
    assert looking.look() == "new"
    assert looking.read.times == 2


def test_a_version_that_is_replaced_while_it_is_read_is_not_taken(path):
    looking = Looking(path)
    looking.look()
    replace(path, "half")
    looking.look()
    looking.read.may_read.clear()
    looking.now += LOOK_EVERY
    looking.file.contents()
    replace(path, "whole")
    looking.read.may_read.set()
    assert looking.look() == "old"
    assert looking.look() == "whole"


def test_a_version_that_is_bad_or_gone_leaves_the_one_before(path, caplog):
    looking = Looking(path)
    looking.look()
    replace(path, "bad")
    for _ in range(4):
        assert looking.look() == "old"
    path.unlink()
    assert looking.look() == "old"
    [record] = caplog.records
    assert record.levelname == "ERROR"
    assert "no good" in record.getMessage()
    assert looking.read.times == 2
    path.write_text("good again")
    looking.look()
    assert looking.look() == "good again"


def test_the_first_version_has_to_be_good(path):
    path.write_text("bad")
    file = WatchedFile(str(path), Reader())
    for _ in range(2):
        with pytest.raises(ValueError, match="no good"):
            file.contents()
    path.write_text("good")
    assert file.contents() == "good"
