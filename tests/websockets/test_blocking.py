"""The WebSocket that type checkers see in a `def` handler is the one that the handler gets."""

import inspect

import pytest

from antiphon import BlockingWebSocket, WebSocket

pytestmark = pytest.mark.once


def parameters(owner):
    members = {name: member for name, member in vars(owner).items() if name == "__iter__" or not name.startswith("_")}
    return {
        name: [*inspect.signature(member).parameters.values()] if callable(member) else type(member)
        for name, member in members.items()
    }


def test_both_have_the_same_members():
    assert parameters(BlockingWebSocket) == parameters(WebSocket)
