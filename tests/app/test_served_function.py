import gc
from contextvars import copy_context
from functools import partial

import pytest

from antiphon import Request, Response, to_app
from antiphon.handler.callables import describe
from antiphon.handler.contract import BEGIN_ON_THREAD, ON_LOOP
from antiphon.http.errors import NotFound
from tests.helpers.driving import drive
from tests.helpers.handlers import ASYNC_HANDLERS, SYNC_HANDLERS, async_handler, in_style, sync_handler
from tests.helpers.rows import rows


@rows("function", SYNC_HANDLERS.values(), ids=SYNC_HANDLERS)
def test_is_called_on_a_thread_when_it_blocks(function):
    seen, response = drive(to_app(function)._handle(Request.blank()))
    assert seen == [BEGIN_ON_THREAD]
    assert response.body == b"sync"


@rows("function", ASYNC_HANDLERS.values(), ids=ASYNC_HANDLERS)
def test_is_awaited_when_it_waits(function):
    seen, response = drive(to_app(function)._handle(Request.blank()))
    assert seen == [ON_LOOP]
    assert response.body == b"async"


@rows("error", [ValueError("secret"), NotFound("no such thing"), StopIteration("secret")], ids=repr)
def test_answers_its_errors(error):
    def fails(request):
        raise error

    _, response = drive(to_app(fails)._handle(Request.blank()))
    assert response.error is error
    assert response.status == (404 if isinstance(error, NotFound) else 500)
    assert b"secret" not in response.body


@rows(
    "value, status, body",
    ("text", 200, b"text"), (b"bytes", 200, b"bytes"), ({"a": 1}, 200, b'{"a":1}'), (("made", 201), 201, b"made"),
    ((Response("x"), 202), 202, b"x"), (Response("x", 203), 203, b"x"), ids=repr,
)  # fmt: skip
@rows("style", ["def", "async def"])
def test_answers_what_handlers_may_return(style, value, status, body):
    def returns(request):
        return value

    _, response = drive(to_app(in_style(style, returns))._handle(Request.blank()))
    assert (response.status, response.body) == (status, body)


@rows("value", [None, 7, object, ("text", 200, [], "more")], ids=repr)
def test_answers_what_no_response_is_made_of_with_an_error_that_names_it(value):
    def wrong(request):
        return value

    _, response = drive(to_app(wrong)._handle(Request.blank()))
    assert response.status == 500
    assert isinstance(response.error, TypeError)
    assert describe(wrong) in str(response.error)


def test_does_not_answer_when_it_is_closed():
    steps = to_app(sync_handler)._handle(Request.blank())
    copy_context().run(steps.send, None)
    steps.close()
    assert steps.cr_frame is None


@rows("leaving", [KeyboardInterrupt, SystemExit])
def test_lets_what_ends_the_process_leave(leaving):
    def leaves(request):
        raise leaving

    with pytest.raises(leaving):
        drive(to_app(leaves)._handle(Request.blank()))


def test_says_what_to_do_about_a_coroutine_that_a_def_returned():
    def wraps_an_async_one(request):
        return async_handler(request)

    _, response = drive(to_app(wraps_an_async_one)._handle(Request.blank()))
    gc.collect()  # a coroutine that nobody awaited would warn here
    assert response.status == 500
    assert "async def" in str(response.error)


@rows(
    "function",
    pytest.param(lambda: Response("x"), id="nothing"),
    pytest.param(lambda request, item: Response("x"), id="two"),
    pytest.param(lambda request, *, item: Response("x"), id="a keyword"),
    pytest.param(partial(lambda request: Response("x"), 1), id="a partial with all"),
)
def test_is_refused_unless_it_can_be_called_with_a_request(function):
    with pytest.raises(TypeError) as refused:
        to_app(function)
    assert describe(function) in str(refused.value)
    assert str(refused.value).endswith("but is called with (request)")


def test_is_refused_where_it_is_none():
    with pytest.raises(TypeError, match="'text' is not a function"):
        to_app("text")
