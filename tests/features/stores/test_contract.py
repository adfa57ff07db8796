"""The contract of the stores that keep entries on the server, each on the real thing."""

import asyncio

import pytest

from antiphon import App
from antiphon.testing import Client
from antiphon.testing.stores import StoreTests

pytestmark = pytest.mark.usefixtures("kept")  # each test runs with each of the stores: they are its subject


class TestEachStore(StoreTests):
    """All of them are inherited."""


@pytest.mark.axes("interface")
@pytest.mark.parametrize("interface", ["wsgi", "asgi", "rsgi"])
def test_on_a_loop_a_call_that_would_block_it_is_an_error_in_tests_and_debug_mode(kept, interface, request):
    app, store, calls = App(), kept.store, []

    @app.get("/loop")
    async def loop(_request):
        calls.append(store.load("key"))
        return ""

    @app.get("/awaited")
    async def awaited(_request):
        calls.append(await asyncio.to_thread(store.load, "key"))
        return ""

    @app.get("/thread")
    def thread(_request):
        calls.append(store.load("key"))
        return ""

    strict, lenient = (Client(app, interface=interface, raise_errors=each) for each in (True, None))
    for path in ("/awaited", "/thread"):
        assert strict.get(path).status == 200
    assert lenient.get("/loop").status == 200
    if store.blocks:
        with pytest.raises(RuntimeError, match="would block this event loop"):
            strict.get("/loop")
        request.getfixturevalue("debug_mode")
        assert lenient.get("/loop").status == 500
    assert calls == [None] * 3
