"""Where a view runs: a ``def`` on a thread that may block, an ``async def`` on the loop of its framework."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from contextvars import ContextVar

import pytest

from antiphon import Response, current_request, view
from antiphon.concurrency.loop import running_loop
from tests.frameworks import apps
from tests.frameworks.exchanges import JSON, ask_by_socket, served
from tests.frameworks.servers import START, uvicorn
from tests.helpers.waiting import DEADLINE

pytestmark = pytest.mark.usefixtures("quiet")

MANY = 5
VARIABLE = ContextVar("variable", default="unset")
FRAMEWORKS = [*apps.SERVED, *apps.ASGI, pytest.param(apps.fasthtml, marks=pytest.mark.once)]


class Meeting:
    """Views that wait until all of them run, which they never do if one of them holds the loop."""

    def __init__(self):
        self.barrier = threading.Barrier(MANY)
        self.loops = []

    def views(self, interface=None):
        def meet(request):
            self.loops.append(running_loop())
            self.barrier.wait(DEADLINE)
            return {"sent": request.json, "same": current_request() is request}

        def streamed(request):
            VARIABLE.set("of the view")

            def chunks():
                yield VARIABLE.get().encode()
                yield b"" if running_loop() is None else b", on the loop"

            return Response.stream(chunks())

        async def on_loop(request):
            await asyncio.sleep(0)
            return str(running_loop() is not None)

        functions = {"meet": meet, "streamed": streamed, "on_loop": on_loop}
        return {name: view(interface=interface)(function) for name, function in functions.items()}


def ask_all(make, meeting, monkeypatch, ask):
    with ExitStack() as stack:
        app = apps.application(make, meeting.views, monkeypatch, stack)
        port = stack.enter_context(served(lambda: START.get(make.__name__, uvicorn)(app)))
        return ask(port)


@pytest.mark.parametrize("make", FRAMEWORKS)
def test_def_views_run_side_by_side(make, monkeypatch):
    meeting = Meeting()

    def ask(port):
        with ThreadPoolExecutor(MANY) as pool:
            return [*pool.map(lambda n: ask_by_socket(port, "POST", "/meet", JSON, b'{"n":%d}' % n), range(MANY))]

    answers = ask_all(make, meeting, monkeypatch, ask)
    assert [(status, body) for status, _, body in answers] == [
        (200, f'{{"sent":{{"n":{number}}},"same":true}}') for number in range(MANY)
    ]
    assert meeting.loops == [None] * MANY


@pytest.mark.parametrize("make", FRAMEWORKS)
def test_a_def_stream_has_the_context_of_its_view(make, monkeypatch):
    def ask(port):
        return ask_by_socket(port, "GET", "/streamed", {}, b"")[::2]

    assert ask_all(make, Meeting(), monkeypatch, ask) == (200, "of the view")


@pytest.mark.parametrize("make", FRAMEWORKS)
def test_async_views_run_on_the_loop(make, monkeypatch):
    def ask(port):
        return ask_by_socket(port, "GET", "/on_loop", {}, b"")[::2]

    assert ask_all(make, Meeting(), monkeypatch, ask) == (200, "True")
