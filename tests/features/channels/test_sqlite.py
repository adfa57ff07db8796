"""How a process finds the messages in a file of SQLite that it doesn't know of."""

from contextlib import closing
from threading import Event

import pytest

from antiphon.app.channel_log import Position
from antiphon.features import SQLiteStore
from antiphon.features.stores.sqlite_log import SQLiteLog


@pytest.fixture
def log(tmp_path):
    with closing(SQLiteStore(tmp_path / "store.db")) as store:
        yield SQLiteLog(store)


def test_a_channel_that_was_joined_during_a_look_is_looked_at_by_the_next_one(log):
    position = log.append("b", 10, b"1")
    assert log.watch({"a": None}) == {}
    assert [each.position for each in log.watch({"a": None, "b": None})["b"]] == [position]


def test_messages_that_a_look_has_found_and_nobody_took_are_found_again(log):
    first = log.append("a", 10, b"1")
    second = log.append("a", 10, b"2")
    assert len(log.watch({"a": None})["a"]) == 2
    assert [each.position for each in log.watch({"a": first})["a"]] == [second]
    assert log.watch({"a": second}) == {}
    assert second == Position(first.epoch, 2)


def test_a_message_that_is_stored_as_a_wait_ends_is_found(log):
    class Ending(Event):
        def wait(self, timeout=None):
            stored.append(log.append("a", 10, b"2"))
            return False

    stored = [log.append("a", 10, b"1")]
    assert log.watch({"a": stored[0]}) == {}
    log._woken = Ending()
    assert [each.position for each in log.watch({"a": stored[0]})["a"]] == [stored[1]]
