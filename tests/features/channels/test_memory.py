"""Channels in memory: which are kept, and which are forgotten."""

import tracemalloc

import pytest

from antiphon.features import Channel, MemoryStore, MissedMessages
from antiphon.features.channels import hub


@pytest.fixture
def store(monkeypatch):
    monkeypatch.setattr(hub, "MOST_UNUSED", 2)
    return MemoryStore()


def listen(name, store):
    with Channel(name, store).listen():
        pass


def send(name, store):
    Channel(name, store).send("hello")


@pytest.mark.parametrize("use", [listen, send, lambda name, store: Channel(name, store).messages()])
def test_names_that_are_used_once_take_no_memory(use, store):
    def use_all(prefix):
        for number in range(1000):
            use(f"{prefix}{number}", store)

    tracemalloc.start()
    try:
        use_all("a")
        before, _ = tracemalloc.get_traced_memory()
        use_all("b")
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 1000 * 100


def test_messages_of_the_channels_that_were_used_last_are_kept(store):
    for name in "abac":
        send(name, store)
    assert [len(Channel(name, store).messages()) for name in "bac"] == [0, 2, 1]


def test_messages_are_kept_while_somebody_listens(store):
    with Channel("a", store).listen() as listener:
        for name in "abcd":
            send(name, store)
        assert next(iter(listener)).value == "hello"
        assert len(Channel("a", store).messages()) == 1


def test_a_client_is_told_that_messages_were_forgotten(store):
    last = Channel("a", store).send("before")
    for name in "bc":
        send(name, store)
    new = Channel("a", store).send("after")
    assert new != last
    with Channel("a", store).listen(since=last) as listener:
        missed, message = (item for _, item in zip(range(2), listener, strict=False))
    assert (type(missed), missed.after, message.value) == (MissedMessages, last, "after")
