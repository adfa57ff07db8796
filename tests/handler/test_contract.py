import functools
from asyncio import CancelledError

import pytest

from antiphon.handler.contract import ON_LOOP, ON_THREAD, finish
from antiphon.request.request import Request
from tests.helpers.driving import drive
from tests.helpers.rows import rows


class TestWhatIsLeftForAfter:
    def test_is_called_in_order_where_its_style_says(self):
        called = []

        async def second():
            called.append("second")

        request = Request.blank()
        request.after_response(lambda: called.append("first"))
        request.after_response(second)
        request.after_response(functools.partial(called.append, "third"))
        seen, _ = drive(finish(request))
        assert called == ["first", "second", "third"]
        assert seen == [ON_THREAD, ON_LOOP, ON_THREAD]

    @rows("style", ["def", "async def", "def that returns a coroutine"])
    def test_is_called_with_what_it_was_given(self, style):
        called = []

        def blocks(*arguments, **options):
            called.append((arguments, options))

        async def waits(*arguments, **options):
            blocks(*arguments, **options)

        def returns(*arguments, **options):
            return waits(*arguments, **options)

        function = {"def": blocks, "async def": waits, "def that returns a coroutine": returns}[style]
        request = Request.blank()
        assert request.after_response(function, 1, 2, name="Ada") is function
        switches, _ = drive(finish(request))
        assert called == [((1, 2), {"name": "Ada"})]
        places = {"def": [ON_THREAD], "async def": [ON_LOOP], "def that returns a coroutine": [ON_THREAD, ON_LOOP]}
        assert switches == places[style]

    def test_is_called_though_one_fails_which_is_logged(self, caplog):
        called = []
        error = ValueError("boom")

        def fails():
            raise error

        request = Request.blank("/the/path")
        request.after_response(fails)
        request.after_response(lambda: called.append("after"))
        drive(finish(request))
        assert called == ["after"]
        assert [record.exc_info[1] for record in caplog.records] == [error]
        assert request.id in caplog.text
        (message,) = [record.getMessage() for record in caplog.records]
        assert message.startswith(
            "GET '/the/path' got its response, but a function given to request.after_response failed: "
        )
        assert f"{fails.__qualname__} ({__file__}:{fails.__code__.co_firstlineno})" in message

    @rows("leaving", [KeyboardInterrupt, SystemExit])
    def test_is_all_called_before_what_ends_the_process_leaves(self, leaving):
        called = []

        def leaves():
            raise leaving

        request = Request.blank()
        request.after_response(leaves)
        request.after_response(lambda: called.append("after"))
        with pytest.raises(leaving):
            drive(finish(request))
        assert called == ["after"]

    @rows("times", [1, 2])
    @rows("style", ["def", "async def", "def that returns a coroutine"])
    def test_is_all_called_though_it_is_cancelled_where_it_changes_places(self, style, times):
        called = []

        async def waits(name):
            called.append(name)

        def returns(name):
            return waits(name)

        function = {"def": called.append, "async def": waits, "def that returns a coroutine": returns}[style]
        request = Request.blank()
        for name in ("first", "second"):
            request.after_response(functools.partial(function, name))
        steps = finish(request)
        steps.send(None)
        for _ in range(times):
            steps.throw(CancelledError())
        with pytest.raises(CancelledError):
            drive(steps)
        assert called == ["first", "second"]
