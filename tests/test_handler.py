import functools
import gc
import logging

import pytest

from antiphon.handler import ON_THREAD, FunctionHandler, describe, failed, finish, is_async
from antiphon.http.errors import ContentTooLarge, HTTPError, NotFound, ServiceUnavailable
from antiphon.request import Request
from antiphon.response import Response


def plain(request):
    return Response("plain")


async def waiting(request):
    return Response("waiting")


class Plain:
    def __call__(self, request):
        return Response("plain")

    def method(self, request):
        return Response("plain")


class Waiting:
    async def __call__(self, request):
        return Response("waiting")

    async def method(self, request):
        return Response("waiting")

    @staticmethod
    async def static(request):
        return Response("waiting")


BLOCKS = {
    "def": plain,
    "method": Plain().method,
    "object": Plain(),
    "partial": functools.partial(plain),
    "partial of a partial": functools.partial(functools.partial(plain)),
    "lambda": lambda request: Response("plain"),
}
WAITS = {
    "async def": waiting,
    "method": Waiting().method,
    "static method": Waiting.static,
    "object": Waiting(),
    "partial": functools.partial(waiting),
    "partial of a partial": functools.partial(functools.partial(waiting)),
    "partial of an object": functools.partial(Waiting()),
}


def drive(steps):
    """Take steps to their end where nothing really waits: what they yielded, and what they returned."""
    seen, effect = [], None
    try:
        effect = steps.send(None)
        while True:
            seen.append(effect)
            result = None
            if effect is not ON_THREAD:
                try:
                    effect.send(None)
                except StopIteration as end:
                    result = end.value
            effect = steps.send(result)
    except StopIteration as end:
        return seen, end.value


@pytest.mark.parametrize("function", BLOCKS.values(), ids=BLOCKS)
def test_what_blocks_is_told_from_what_waits(function):
    assert not is_async(function)


@pytest.mark.parametrize("function", WAITS.values(), ids=WAITS)
def test_what_waits_is_told_from_what_blocks(function):
    assert is_async(function)


class TestDescribe:
    @pytest.mark.parametrize(
        ("function", "name", "line"),
        [
            (plain, "plain", plain.__code__.co_firstlineno),
            (Plain().method, "Plain.method", Plain.method.__code__.co_firstlineno),
            (Plain(), "Plain", Plain.__call__.__code__.co_firstlineno),
            (functools.partial(plain), "plain", plain.__code__.co_firstlineno),
        ],
        ids=["def", "method", "object", "partial"],
    )
    def test_has_the_name_the_file_and_the_line(self, function, name, line):
        assert describe(function) == f"{name} ({__file__}:{line})"

    def test_of_a_wrapped_function_is_that_of_the_wrapped_one(self):
        @functools.wraps(plain)
        def around(request):
            return plain(request)

        assert describe(around) == describe(plain)

    def test_of_what_has_no_code_is_its_name(self):
        assert describe(len) == "len"

    def test_of_a_partial_of_a_partial_names_the_function(self):
        inner = functools.partial(functools.partial(plain))
        inner.note = "keeps the two from being made one"
        assert describe(functools.partial(inner)) == describe(plain)


class TestAFunctionAsAHandler:
    @pytest.mark.parametrize("function", BLOCKS.values(), ids=BLOCKS)
    def test_is_called_on_a_thread_when_it_blocks(self, function):
        seen, response = drive(FunctionHandler(function).handle(Request.blank()))
        assert seen == [ON_THREAD]
        assert response.body == b"plain"

    @pytest.mark.parametrize("function", WAITS.values(), ids=WAITS)
    def test_is_awaited_when_it_waits(self, function):
        seen, response = drive(FunctionHandler(function).handle(Request.blank()))
        assert len(seen) == 1
        assert seen[0] is not ON_THREAD
        assert response.body == b"waiting"

    @pytest.mark.parametrize(
        "error", [ValueError("secret"), NotFound("no such thing"), StopIteration("secret")], ids=repr
    )
    def test_answers_its_errors(self, error):
        def fails(request):
            raise error

        _, response = drive(FunctionHandler(fails).handle(Request.blank()))
        assert response.error is error
        assert response.status == (404 if isinstance(error, NotFound) else 500)
        assert b"secret" not in response.body

    @pytest.mark.parametrize("value", ["text", None, {"a": 1}, b"bytes", (Response("x"), 200)], ids=repr)
    def test_answers_what_is_no_response_with_an_error_that_names_it(self, value):
        def wrong(request):
            return value

        _, response = drive(FunctionHandler(wrong).handle(Request.blank()))
        assert response.status == 500
        assert isinstance(response.error, TypeError)
        assert describe(wrong) in str(response.error)

    def test_does_not_answer_when_it_is_closed(self):
        steps = FunctionHandler(plain).handle(Request.blank())
        next(steps)
        steps.close()
        assert steps.gi_frame is None

    @pytest.mark.parametrize("leaving", [KeyboardInterrupt, SystemExit])
    def test_lets_what_ends_the_process_leave(self, leaving):
        def leaves(request):
            raise leaving

        with pytest.raises(leaving):
            drive(FunctionHandler(leaves).handle(Request.blank()))

    def test_says_what_to_do_about_a_coroutine_that_a_def_returned(self):
        def wraps_an_async_one(request):
            return waiting(request)

        _, response = drive(FunctionHandler(wraps_an_async_one).handle(Request.blank()))
        gc.collect()  # a coroutine that nobody awaited would warn here
        assert response.status == 500
        assert "async def" in str(response.error)


class TestAFailure:
    @pytest.mark.parametrize(
        ("error", "logged"),
        [
            (ValueError("boom"), True),
            (ServiceUnavailable("later"), True),
            (NotFound("nothing"), False),
            (ContentTooLarge("much"), False),
        ],
        ids=repr,
    )
    def test_is_logged_when_the_programmer_has_to_see_it(self, error, logged, caplog):
        request = Request.blank("/some/path", "PUT")
        response = failed(request, error)
        assert response.error is error
        assert len(caplog.records) == logged
        for record in caplog.records:
            assert record.levelno == logging.ERROR
            assert record.exc_info[1] is error
            assert all(part in record.getMessage() for part in ("PUT", "/some/path", request.id))

    @pytest.mark.parametrize("path", ["/a%0aGET%20/admin", "/a%0d%0ab", "/%1b[31m", "/%00"])
    def test_is_logged_in_one_line_of_what_can_be_printed(self, path, caplog):
        failed(Request.blank(path), ValueError("boom"))
        assert caplog.records[0].getMessage().isprintable()

    @pytest.mark.parametrize(
        "make",
        [
            lambda: HTTPError("x", status=400, member=object()),
            lambda: HTTPError("x", status=400, headers={"x-a": "a\nb"}),
            lambda: NotFound(404),
            lambda: NotFound("lone \ud800"),
        ],
        ids=["unprintable member", "bad header", "detail that is no text", "lone surrogate"],
    )
    @pytest.mark.parametrize("accept", ["application/json", "text/html"])
    def test_that_cannot_be_told_as_it_is_has_been_refused_or_is_answered_all_the_same(self, make, accept):
        try:
            error = make()
        except (TypeError, ValueError):
            return
        request = Request.blank(headers={"accept": accept})
        response = failed(request, error)
        assert response.status in (400, 404, 500)
        assert request.id.encode() in response.body


class TestWhatIsLeftForAfter:
    def test_is_called_in_order_where_its_colour_says(self):
        called = []

        async def second():
            called.append("second")

        request = Request.blank()
        request.after(lambda: called.append("first"))
        request.after(second)
        request.after(functools.partial(called.append, "third"))
        seen, _ = drive(finish(request))
        assert called == ["first", "second", "third"]
        assert [effect is ON_THREAD for effect in seen] == [True, False, True]

    def test_is_called_though_one_fails_which_is_logged(self, caplog):
        called = []
        error = ValueError("boom")

        def fails():
            raise error

        request = Request.blank("/the/path")
        request.after(fails)
        request.after(lambda: called.append("after"))
        drive(finish(request))
        assert called == ["after"]
        assert [record.exc_info[1] for record in caplog.records] == [error]
        assert request.id in caplog.text

    def test_may_add_to_itself(self):
        called = []
        request = Request.blank()
        request.after(lambda: request.after(lambda: called.append("added")))
        drive(finish(request))
        assert called == ["added"]

    @pytest.mark.parametrize("leaving", [KeyboardInterrupt, SystemExit])
    def test_is_all_called_before_what_ends_the_process_leaves(self, leaving):
        called = []

        def leaves():
            raise leaving

        request = Request.blank()
        request.after(leaves)
        request.after(lambda: called.append("after"))
        with pytest.raises(leaving):
            drive(finish(request))
        assert called == ["after"]
