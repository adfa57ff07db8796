"""The handler of `antiphon run`: lines of requests without records, written together, the same as those of records."""

import io
import logging
import os
from threading import Thread

import pytest
from _pytest.logging import LogCaptureHandler
from hypothesis import given
from hypothesis import strategies as st

from antiphon import App
from antiphon.features import AccessLog
from antiphon.features.logs import formats
from antiphon.features.logs.access_log import LARGEST, MOST_LINES, LineHandler
from antiphon.features.logs.formats import NAME, message_of, request_as_json, request_as_text, request_fields
from antiphon.testing import Client
from tests.helpers import zygote
from tests.helpers.waiting import eventually

pytestmark = pytest.mark.once

FORMATS = {"text": (formats.TextFormatter, request_as_text), "json": (formats.JSONFormatter, request_as_json)}


class Writes(io.StringIO):
    """A stream that keeps each write."""

    def __init__(self):
        super().__init__()
        self.all = []

    def write(self, text):
        self.all.append(text)
        return super().write(text)


@pytest.fixture
def handler(monkeypatch):
    """The handler as `antiphon run` makes it, the only one of all."""
    handler = LineHandler(formats.TextFormatter(), request_as_text)
    handler.stream = Writes()
    monkeypatch.setattr(logging.getLogger(), "handlers", [handler])
    for name in (NAME, "antiphon"):
        monkeypatch.setattr(logging.getLogger(name), "handlers", [])
        monkeypatch.setattr(logging.getLogger(name), "filters", [])
    yield handler
    handler.close()


@pytest.fixture
def without_clock(handler):
    """Have nothing written because time has passed, however busy the machine is."""
    handler._writer_is_awake = True


@pytest.fixture
def get(handler):
    """Ask an application with an access log for a path."""
    app = App()
    app.use(AccessLog())
    app.get("/<path:path>")(lambda request, path: path)
    root = logging.getLogger()

    def get(path):
        root.handlers = [each for each in root.handlers if not isinstance(each, LogCaptureHandler)]
        return Client(app).get(path)

    return get


TEXT = st.text(max_size=30) | st.sampled_from(["/users/7", "GET", "null", '"\\', "\x1b[31m\n", "\u2028", "é"])
REQUESTS = st.tuples(
    TEXT,
    TEXT,
    TEXT,
    st.integers(100, 599),
    st.integers(0, 1 << 70),
    st.floats(0, 1e9)
    | st.floats(0, 2)
    | st.integers(0, 10**6).map(lambda number: number / 1e6)
    | st.just(float("nan")),
    TEXT | st.sampled_from(["-", "0123456789abcdef" * 2]),
    st.booleans(),
)


@pytest.mark.parametrize("form", FORMATS)
@given(created=st.floats(0, 4e9), request=REQUESTS)
def test_a_line_without_a_record_is_that_of_the_record(form, created, request):
    formatter, line_of = FORMATS[form]
    fields = request_fields(*request)
    message, values = message_of(fields)
    record = logging.LogRecord(NAME, logging.INFO, "", 0, message, values, None)
    record.created = created
    vars(record).update(fields)
    assert line_of(created, *request) == formatter().format(record)


@pytest.mark.usefixtures("without_clock")
def test_lines_are_written_together_and_before_the_next_record(handler, get):
    for number in range(5):
        get(f"/{number}")
    assert handler.stream.all == []
    logging.getLogger("shop").warning("sold out")
    requests, record = handler.stream.all[0], "".join(handler.stream.all[1:])
    assert [line.split()[3] for line in requests.splitlines()] == [f"/{number}" for number in range(5)]
    assert record.endswith("WARNING sold out\n")


def test_lines_are_written_soon_though_nothing_else_comes(handler, get):
    for path in ("/first", "/second"):
        get(path)
        eventually(lambda path=path: path in handler.stream.getvalue() or None, "the line was not written")


@pytest.mark.usefixtures("without_clock")
def test_no_write_is_larger_than_what_pipes_take_in_one_piece(handler):
    line = "é" * 50
    for _ in range(LARGEST // 20):
        handler.add(line)
    handler.flush()
    assert max(len(text.encode()) for text in handler.stream.all) <= LARGEST
    assert len(handler.stream.all) < 20
    assert all(text.endswith("\n") for text in handler.stream.all)
    assert handler.stream.getvalue().count(line) == LARGEST // 20


@pytest.mark.usefixtures("without_clock")
def test_many_lines_do_not_wait_for_the_clock(handler):
    for _ in range(MOST_LINES - 1):
        handler.add("line")
    assert handler.stream.all == []
    handler.add("line")
    assert handler.stream.getvalue() == "line\n" * MOST_LINES


@pytest.mark.usefixtures("without_clock")
def test_a_line_that_is_too_large_for_a_pipe_is_written_by_itself(handler):
    for line in ("before", "long" * LARGEST, "after"):
        handler.add(line)
    handler.flush()
    assert [len(text) for text in handler.stream.all] == [7, 4 * LARGEST + 1, 6]


def test_each_line_of_many_threads_is_written_once_and_in_order(handler):
    def add(name):
        for number in range(500):
            handler.add(f"{name} {number}")

    threads = [Thread(target=add, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    handler.flush()
    lines = [tuple(map(int, line.split())) for line in handler.stream.getvalue().splitlines()]
    assert sorted(lines) == [(name, number) for name in range(8) for number in range(500)]
    assert all([number for name, number in lines if name == each] == [*range(500)] for each in range(8))


def test_a_socket_has_a_record_and_its_line_what_was_said(handler, monkeypatch):
    app = App()
    app.use(AccessLog())

    @app.websocket("/echo")
    async def echo(request, socket):
        async for message in socket:
            await socket.send(message)

    monkeypatch.setattr(logging.getLogger(), "handlers", [handler])
    with Client(app, "asgi").websocket("/echo") as socket:
        socket.send("hello")
        assert socket.receive() == "hello"
    eventually(lambda: "/echo" in handler.stream.getvalue() or None, "the line was not written")
    assert "closed with 1000, 1 messages in, 1 out" in handler.stream.getvalue()


def test_a_line_is_written_at_once_when_logging_has_ended(handler, get):
    get("/before")
    handler.close()
    get("/after")
    assert [text.split()[3] for text in handler.stream.all] == ["/before", "/after"]


def test_a_stream_that_takes_nothing_harms_no_request(handler, get, monkeypatch):
    def full(text):
        raise OSError("no space left on device")

    monkeypatch.setattr(handler.stream, "write", full)
    assert get("/lost").status == 200
    handler.flush()


@pytest.mark.processes
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")
def test_a_forked_process_leaves_the_lines_of_its_parent_to_that():
    program = """
import logging, os, sys
from antiphon.cli.logs import Logs
Logs().configure()
[handler] = logging.getLogger().handlers
handler.add("of the parent")
if not (child := os.fork()):
    handler.add("of the child")
    os._exit(0)
os.waitpid(child, 0)
os._exit(0)
"""
    done = zygote.run("-W", "ignore", "-c", program)
    assert sorted(done.stderr.splitlines()) == ["of the child", "of the parent"]


def handler_of(name):
    def watch(seen, handler, monkeypatch):
        sees = logging.Handler()
        sees.emit = seen.append
        monkeypatch.setattr(logging.getLogger(name), "handlers", [*logging.getLogger(name).handlers, sees])

    return watch


def filter_of_the_logger(seen, handler, monkeypatch):
    monkeypatch.setattr(logging.getLogger(NAME), "filters", [seen.append])


def filter_of_the_handler(seen, handler, monkeypatch):
    handler.addFilter(seen.append)


def formatter(seen, handler, monkeypatch):
    class Sees(logging.Formatter):
        def format(self, record):
            seen.append(record)
            return ""

    handler.setFormatter(Sees())


def factory(seen, handler, monkeypatch):
    def make(*arguments, **more):
        seen.append(record := logging.LogRecord(*arguments, **more))
        return record

    monkeypatch.setattr(logging, "_logRecordFactory", make)


def patched_logging(seen, handler, monkeypatch):
    monkeypatch.setattr(logging.Logger, "callHandlers", lambda logger, record: seen.append(record))


WATCHERS = {
    "a handler of the logger": handler_of(NAME),
    "a handler of its parent": handler_of("antiphon"),
    "a handler of the root": handler_of(None),
    "a filter of the logger": filter_of_the_logger,
    "a filter of the handler": filter_of_the_handler,
    "a formatter": formatter,
    "a factory of records": factory,
    "a patch of logging": patched_logging,
}


@pytest.mark.parametrize("watch", WATCHERS.values(), ids=WATCHERS)
def test_who_watches_logging_gets_a_record(watch, handler, get, monkeypatch):
    get("/before")
    seen = []
    watch(seen, handler, monkeypatch)
    get("/watched")
    assert [(record.name, record.path, record.status) for record in seen] == [(NAME, "/watched", 200)]


def test_levels_leave_lines_out(handler, get, monkeypatch):
    logger = logging.getLogger(NAME)
    monkeypatch.setattr(logger, "level", logger.level)  # which is set back after the test
    for of_logger, of_handler, path in [
        ("WARNING", "INFO", "/unseen"), ("INFO", "WARNING", "/unseen"), ("INFO", "INFO", "/seen"),
    ]:  # fmt: skip
        logger.setLevel(of_logger)
        handler.setLevel(of_handler)
        get(path)
    handler.flush()
    assert handler.stream.getvalue().split()[3] == "/seen"
