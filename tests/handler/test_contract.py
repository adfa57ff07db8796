import functools
import logging
from asyncio import CancelledError

import pytest

from antiphon import App
from antiphon.features import SQLiteStore, StoreUnavailable
from antiphon.handler import contract
from antiphon.handler.contract import ON_LOOP, ON_THREAD, describe, failed, finish, is_async
from antiphon.http.errors import ContentTooLarge, HTTPError, NotFound, ServiceUnavailable
from antiphon.request.request import Request
from antiphon.testing import Client
from tests.helpers import handlers
from tests.helpers.driving import drive
from tests.helpers.handlers import ASYNC_HANDLERS, SYNC_HANDLERS, SyncHandler, sync_handler
from tests.helpers.rows import rows


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

    def test_of_a_partial_of_a_partial_names_the_function(self):
        inner = functools.partial(functools.partial(sync_handler))
        inner.note = "keeps the two from being made one"
        assert describe(functools.partial(inner)) == describe(sync_handler)


class TestAFailure:
    @rows(
        "error, logged",
        (ValueError("boom"), True),
        (ServiceUnavailable("later"), True),
        (NotFound("nothing"), False),
        (ContentTooLarge("much"), False),
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

    @rows("path", ["/a%0aGET%20/admin", "/a%0d%0ab", "/%1b[31m", "/%00"])
    def test_is_logged_in_one_line_of_what_can_be_printed(self, path, caplog):
        failed(Request.blank(path), ValueError("boom"))
        assert caplog.records[0].getMessage().isprintable()

    @rows(
        "make",
        lambda: HTTPError(400, "x", members={"member": object()}),
        lambda: HTTPError(400, "x", headers={"x-a": "a\nb"}),
        lambda: NotFound(404),
        lambda: NotFound("lone \ud800"),
        ids=["unprintable member", "bad header", "detail that is no text", "lone surrogate"],
    )
    @rows("accept", ["application/json", "text/html"])
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

    def test_may_add_to_itself(self):
        called = []
        request = Request.blank()
        request.after_response(lambda: request.after_response(lambda: called.append("added")))
        drive(finish(request))
        assert called == ["added"]

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


@rows("path, status", [("/store", 503), ("/socket", 501)])
def test_an_outage_is_logged_briefly(caplog, path, status):
    app = App()

    @app.get("/store")
    def fails(request):
        raise StoreUnavailable("The store does not respond.")

    @app.websocket("/socket")
    async def echo(request, socket): ...

    upgrade = {"upgrade": "websocket", "connection": "upgrade"}
    with caplog.at_level("ERROR"):
        caplog.clear()
        statuses = {Client(app, "wsgi").get(path, headers=upgrade).status for _ in range(100)}
    assert statuses == {status}
    assert [bool(record.exc_info) for record in caplog.records][:2] in ([True], [True, False])
    assert len(caplog.records) < 50


def test_the_outage_of_a_store_is_a_line_a_second_with_a_count(caplog, monkeypatch, tmp_path):
    seconds = [0.0]
    monkeypatch.setattr(contract, "monotonic", lambda: seconds[0])
    (folder := tmp_path / "removed").mkdir()
    app, store = App(), SQLiteStore(folder / "store.db")
    folder.rmdir()
    app.get("/")(lambda request: store.load("key"))
    client = Client(app)
    assert [client.get("/").status for _ in range(200)] == [503] * 200
    assert [bool(record.exc_info) for record in caplog.records] == [
        False,
        True,
    ]  # SQLite's file has a new name each time
    caplog.clear()
    for seconds[0] in (0.9, 1.0, 1.1, 2.0):
        client.get("/")
    assert [message.partition(" (and ")[2] for message in caplog.messages] == ["200 more)", "2 more)"]
    assert all(message.startswith(f"the store {tmp_path}") for message in caplog.messages)
