import functools
from functools import partial, wraps

import pytest

from antiphon.handler.callables import check_arguments, describe, is_async
from tests.helpers import handlers
from tests.helpers.handlers import ASYNC_HANDLERS, SYNC_HANDLERS, SyncHandler, sync_handler
from tests.helpers.rows import rows


class Recorder:
    def __call__(self, request):
        return request

    def method(self, request):
        return request


def add_one(function):
    """A decorator whose function takes one argument more than what it wraps."""

    @wraps(function)
    def called(request, user):
        return function(request)

    return called


@rows(
    "function",
    pytest.param(lambda request: None, id="one"),
    pytest.param(lambda request, /: None, id="by position"),
    pytest.param(lambda request, more=1, *, other=2: None, id="defaults"),
    pytest.param(lambda *arguments: None, id="any"),
    pytest.param(partial(lambda one, request: None, 1), id="partial"),
    pytest.param(Recorder(), id="object"),
    pytest.param(Recorder().method, id="method"),
    pytest.param(len, id="C"),
    pytest.param(getattr, id="C that hides its parameters"),
)
def test_what_can_be_called(function):
    check_arguments(function, "request")


@rows(
    "function, taken",
    pytest.param(lambda: None, "()", id="none"),
    pytest.param(lambda request, item: None, "(request, item)", id="two"),
    pytest.param(lambda *, request: None, "(request)", id="by name"),
    pytest.param(Recorder, "()", id="class"),
    pytest.param(Recorder.method, "(self, request)", id="function of a class"),
    pytest.param(add_one(Recorder()), "(request, user)", id="decorated"),
)
def test_what_cannot_be_called_is_named_with_what_it_takes(function, taken):
    with pytest.raises(TypeError) as refused:
        check_arguments(function, "request")
    assert str(refused.value) == f"{describe(function)} takes {taken}, but is called with (request)"


def test_what_is_no_function_at_all():
    with pytest.raises(TypeError, match="'text' is not a function"):
        check_arguments("text", "request")


@rows("function", SYNC_HANDLERS.values(), ids=SYNC_HANDLERS)
def test_what_blocks_is_told_from_what_waits(function):
    assert not is_async(function)


@rows("function", ASYNC_HANDLERS.values(), ids=ASYNC_HANDLERS)
def test_what_waits_is_told_from_what_blocks(function):
    assert is_async(function)


class TestDescribe:
    @rows(
        "function, name, line",
        (sync_handler, "sync_handler", sync_handler.__code__.co_firstlineno),
        (SyncHandler().method, "SyncHandler.method", SyncHandler.method.__code__.co_firstlineno),
        (SyncHandler(), "SyncHandler", SyncHandler.__call__.__code__.co_firstlineno),
        (functools.partial(sync_handler), "sync_handler", sync_handler.__code__.co_firstlineno),
        ids=["def", "method", "object", "partial"],
    )
    def test_has_the_name_the_file_and_the_line(self, function, name, line):
        assert describe(function) == f"{name} ({handlers.__file__}:{line})"

    def test_of_a_wrapped_function_is_that_of_the_wrapped_one(self):
        @functools.wraps(sync_handler)
        def around(request):
            return sync_handler(request)

        assert describe(around) == describe(sync_handler)

    def test_of_what_has_no_code_is_its_name(self):
        assert describe(len) == "len"
