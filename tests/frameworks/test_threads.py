"""Where a view runs: a ``def`` on a thread that may block, an ``async def`` on the loop of its framework."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar

import pytest

from antiphon import Response, current_request, view
from antiphon.concurrency.loop import running_loop
from tests.frameworks import apps
from tests.frameworks.exchanges import JSON, ask_by_socket, listening
from tests.helpers.waiting import DEADLINE

pytestmark = pytest.mark.usefixtures("quiet")

MANY = 5
VARIABLE = ContextVar("variable", default="unset")


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


@pytest.fixture(scope="module", params=[
    *apps.SERVED, *apps.ASGI, pytest.param(apps.fasthtml, marks=pytest.mark.once),
])  # fmt: skip
def meeting(request):
    """The views of a framework, and the port of its server."""
    made = Meeting()
    with listening(request.param, made.views) as port:
        yield made, port


def test_def_views_run_side_by_side(meeting):
    views, port = meeting
    with ThreadPoolExecutor(MANY) as pool:
        answers = pool.map(lambda n: ask_by_socket(port, "POST", "/meet", JSON, b'{"n":%d}' % n), range(MANY))
        assert [(status, body) for status, _, body in answers] == [
            (200, f'{{"sent":{{"n":{number}}},"same":true}}') for number in range(MANY)
        ]
    assert views.loops == [None] * MANY


def test_a_def_stream_has_the_context_of_its_view(meeting):
    assert ask_by_socket(meeting[1], "GET", "/streamed", {}, b"")[::2] == (200, "of the view")


def test_async_views_run_on_the_loop(meeting):
    assert ask_by_socket(meeting[1], "GET", "/on_loop", {}, b"")[::2] == (200, "True")
