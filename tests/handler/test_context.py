import asyncio
import threading
from contextvars import Context, copy_context

import pytest

from antiphon import Request
from antiphon.handler.scope import current_request, set_current_request
from tests.helpers.free_threading import INHERITS


def in_context(function):
    return Context().run(function)


def test_there_is_none_outside_of_a_request():
    with pytest.raises(RuntimeError, match="no request is being handled here"):
        in_context(current_request)
    assert in_context(lambda: current_request("none")) == "none"


def test_it_is_the_one_that_was_set():
    request = Request.blank()

    def answering():
        set_current_request(request)
        assert current_request(None) is request
        return current_request()

    assert in_context(answering) is request
    with pytest.raises(RuntimeError):
        in_context(current_request)


def test_each_task_has_its_own():
    async def answer(path):
        set_current_request(Request.blank(path))
        await asyncio.sleep(0)
        return current_request().path

    async def main():
        return await asyncio.gather(*(answer(path) for path in ("/a", "/b", "/c")))

    assert asyncio.run(main()) == ["/a", "/b", "/c"]


def test_a_thread_of_its_own_has_none_unless_threads_inherit_a_context():
    """From Python 3.14 on they do so if asked to, as they are where there is no GIL."""
    seen = []

    def look():
        try:
            seen.append(current_request())
        except RuntimeError as error:
            seen.append(str(error))

    def answering():
        set_current_request(Request.blank())
        carried = copy_context()
        for target in (look, lambda: carried.run(look)):
            thread = threading.Thread(target=target)
            thread.start()
            thread.join(10)

    in_context(answering)
    if INHERITS:
        assert isinstance(seen[0], Request)
    else:
        assert "copy_context" in seen[0]
    assert isinstance(seen[1], Request)
