"""What the signatures of public functions and methods promise: which of them wait."""

import inspect
import types
import typing
from collections import abc

import pytest

from tests.helpers.public_members import public_functions

ASYNC_ONLY = {
    "antiphon.App.answer": "of adapters",
    "antiphon.App.answer_on_loop": "of adapters",
    "antiphon.App.answer_on_thread": "of adapters",
    "antiphon.App.handle": "of adapters",
    "antiphon.Request.read_small_body": "of adapters",
    "antiphon.App.startup": "steps, which the lifecycle calls",
    "antiphon.App.shutdown": "steps, which the lifecycle calls",
    "antiphon.testing.AsyncStreamedResponse.read": "of an async client",
}
"""Coroutine functions that have no counterpart which blocks, and why."""
FUNCTIONS = public_functions()


def is_awaited(function):
    returns = inspect.signature(function).return_annotation
    if isinstance(returns, str):
        return inspect.iscoroutinefunction(function) or returns.startswith(("Coroutine[", "Awaitable["))
    parts = [returns, *typing.get_args(returns)] if isinstance(returns, types.UnionType) else [returns]
    awaitable = any(typing.get_origin(part) in (abc.Awaitable, abc.Coroutine) for part in parts)
    return inspect.iscoroutinefunction(function) or awaitable


AWAITED = [name for name, function in FUNCTIONS.items() if is_awaited(function)]


@pytest.mark.parametrize("name", [name for name in AWAITED if name not in ASYNC_ONLY])
def test_what_is_awaited_is_named_after_what_blocks(name):
    owner, _, own = name.rpartition(".")
    assert own[0] == "a"
    blocking = FUNCTIONS[f"{owner}.{own[1:]}"]
    assert not is_awaited(blocking)
    assert list(inspect.signature(blocking).parameters) == list(inspect.signature(FUNCTIONS[name]).parameters)


def test_what_has_no_counterpart_is_there():
    assert ASYNC_ONLY.keys() <= set(AWAITED)
