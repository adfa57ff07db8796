"""The WebSocket that type checkers see in a `def` handler is the one that the handler gets."""

import inspect

import pytest

from antiphon import BlockingWebSocket, WebSocket

pytestmark = pytest.mark.once


def parameters(owner):
    shown = (*(name for name in dir(owner) if not name.startswith("_")), "__iter__")
    members = {name: vars(owner)[name] for name in shown}
    return {
        name: [*inspect.signature(member).parameters.values()] if callable(member) else type(member)
        for name, member in members.items()
    }


def test_both_have_the_same_members():
    assert parameters(BlockingWebSocket) == parameters(WebSocket)
