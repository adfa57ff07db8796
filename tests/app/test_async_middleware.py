"""Async middleware around an ``async def`` handler, of which any may wait on its way in, on its way back, or never."""

import asyncio
import sys
from contextvars import ContextVar
from itertools import product

import pytest

from antiphon import App, Response
from antiphon.http.errors import Forbidden
from antiphon.testing import AsyncClient
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

variable = ContextVar("variable", default=())


def around(name, seen, *, waits_in=False, waits_out=False):
    async def middleware(request):
        task = asyncio.current_task()
        async with asyncio.timeout(60):
            if waits_in:
                await asyncio.sleep(0)
        token = variable.set((*variable.get(), name))
        response = yield
        assert variable.get()[-1] == name
        variable.reset(token)
        if waits_out:
            await asyncio.sleep(0)
        assert asyncio.current_task() is task
        seen.append((name, response.status))

    return middleware


def client_of(middleware, handler):
    app = App()
    for each in middleware:
        app.middleware(each)
    app.get("/")(handler)
    return AsyncClient(app, "asgi", raise_errors=False)


@rows("waits", [*product((False, True), repeat=4)], ids=str)
def test_runs_in_one_task_with_the_variables_of_what_is_around(waits):
    (in_a, out_a, in_b, out_b), seen = waits, []

    async def handler(request):
        await asyncio.sleep(0)
        return "-".join(variable.get())

    middleware = [
        around("a", seen, waits_in=in_a, waits_out=out_a),
        around("b", seen, waits_in=in_b, waits_out=out_b),
        around("c", seen),
    ]
    response = asyncio.run(client_of(middleware, handler).get("/"))
    assert (response.status, response.text) == (200, "a-b-c")
    assert seen == [("c", 200), ("b", 200), ("a", 200)]


async def wait():
    await asyncio.sleep(0)


async def pass_by():
    """Wait for nothing."""


def answers(step):
    async def middleware(request):
        await step()
        yield Response("early", 202)

    return middleware


def refuses(step):
    async def middleware(request):
        await step()
        raise Forbidden
        yield

    return middleware


def ends(step):
    async def middleware(request):
        await step()
        if not request:
            yield

    return middleware


def replaces(step):
    async def middleware(request):
        response = yield
        await step()
        yield Response(response.body + b", replaced", 203)

    return middleware


def fails(step):
    async def middleware(request):
        yield
        await step()
        raise LookupError("on the way back")

    return middleware


@rows("step", [wait, pass_by])
@rows(
    "inner, status, text",
    [(answers, 202, "early"), (refuses, 403, None), (ends, 500, None), (replaces, 203, "page, replaced"),
     (fails, 500, None)],
)  # fmt: skip
def test_answers_or_fails_the_same_whether_it_has_waited_or_not(step, inner, status, text):
    seen, within = [], []

    async def handler(request):
        return "page"

    middleware = [around("outer", seen), inner(step), around("within", within)]
    response = asyncio.run(client_of(middleware, handler).get("/"))
    assert response.status == status
    assert text in (None, response.text)
    assert seen == [("outer", status)]
    assert within == ([("within", 200)] if inner in (replaces, fails) else [])


def test_only_generators_that_middleware_iterates_are_closed_with_the_loop():
    told = []

    async def numbers():
        yield 1

    async def iterates(request):
        assert [number async for number in numbers()] == [1]
        assert sys.get_asyncgen_hooks().firstiter == told.append
        yield

    async def handler(request):
        return "page"

    async def main():
        before = sys.get_asyncgen_hooks()
        client = client_of([iterates, iterates], handler)
        sys.set_asyncgen_hooks(told.append)
        try:
            return await client.get("/")
        finally:
            sys.set_asyncgen_hooks(*before)

    assert asyncio.run(main()).text == "page"
    assert [each.__name__ for each in told] == ["numbers", "numbers"]


def test_that_is_cancelled_while_it_opens_closes_what_is_around_it():
    seen, calls = [], []

    async def silent(request):
        try:
            await asyncio.Event().wait()
            yield
        finally:
            calls.append("silent ended")

    async def outer(request):
        response = yield
        await asyncio.sleep(0)
        seen.append(type(response.error))

    async def handler(request):
        calls.append("handler")
        return "never"

    async def main():
        task = asyncio.create_task(client_of([outer, silent], handler).get("/"))
        for _ in range(10):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert (seen, calls) == ([asyncio.CancelledError], ["silent ended"])
