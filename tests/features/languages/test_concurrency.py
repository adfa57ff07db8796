"""A hundred requests at once in twenty languages: none of them sees another one's, wherever its code runs."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from antiphon import App, HTTPError, Request, Response, abort
from antiphon.features import Languages, lazy_gettext
from antiphon.testing import AsyncClient, Client

pytestmark = pytest.mark.axes("interface", "style")

TAGS = "ar bg cs da de el en es fi fr he hu it ja ko nl pl pt ru zh-Hant".split()  # noqa: SIM905
HERE = lazy_gettext("here")
REQUESTS = [TAGS[number % len(TAGS)] for number in range(100)]


class Heard:
    """The texts that functions after the response saw, by the language that they should be in."""

    def __init__(self):
        self._lock = threading.Lock()
        self.texts = []

    def note(self, tag):
        with self._lock:
            self.texts.append((tag, str(HERE)))

    async def anote(self, tag):
        await asyncio.sleep(0)
        self.note(tag)


@pytest.fixture
def heard():
    return Heard()


@pytest.fixture
def app(folder, heard):
    app = App()
    app.use(Languages(folder(**{tag: {"here": tag} for tag in TAGS})))

    @app.middleware
    def around(request: Request):
        before = str(HERE)
        response = yield
        response.headers["x-here"] = f"{before} {HERE}"

    def lines():
        for _ in range(3):
            yield f"{HERE}\n"
            time.sleep(0.001)

    async def alines():
        for _ in range(3):
            yield f"{HERE}\n"
            await asyncio.sleep(0)
            yield f"{await asyncio.to_thread(str, HERE)}\n"

    @app.get("/def")
    def sync_stream(request: Request):
        request.after_response(heard.note, request.language.tag)
        first = f"{HERE}\n"
        time.sleep(0.001)
        return Response.stream([first, *lines()] if "list" in request.args else lines())

    @app.get("/async")
    async def async_stream(request: Request):
        request.after_response(heard.anote, request.language.tag)
        await asyncio.sleep(0)
        first = f"{HERE}\n"
        return Response.stream(alines(), headers={"x-first": first.strip()})

    @app.get("/fails")
    def fails(request: Request):
        abort(404, HERE)

    @app.get("/lost")
    async def lost(request: Request):
        await asyncio.sleep(0)
        raise LookupError

    @app.errorhandler(LookupError)
    async def not_found(request: Request, error: LookupError):
        await asyncio.sleep(0)
        return f"{HERE}\n", 404

    @app.errorhandler(HTTPError)
    def refused(request: Request, error: HTTPError):
        return f"{error.detail}\n{HERE}\n"

    return app


PATHS = {"def": ["/def", "/def?list", "/fails"], "async def": ["/async", "/lost"]}


def check(tag, answer):
    assert set(answer.text.split()) == {tag}
    assert answer.headers["x-here"] == f"{tag} {tag}"
    assert answer.headers["content-language"] == tag


def target(number, tag, paths):
    path = paths[number % len(paths)]
    return f"{path}{'&' if '?' in path else '?'}lang={tag}"


async def ask_all(app, paths):
    async with AsyncClient(app) as client:

        async def ask(number, tag):
            check(tag, await client.get(target(number, tag, paths)))

        await asyncio.gather(*[ask(number, tag) for number, tag in enumerate(REQUESTS)])


def ask_on_threads(app, paths, interface):
    with Client(app, interface) as client, ThreadPoolExecutor(20) as pool:

        def ask(number, tag):
            check(tag, client.get(target(number, tag, paths)))

        list(pool.map(ask, range(len(REQUESTS)), REQUESTS))


def test_no_request_sees_the_language_of_another_one(app, heard, interface, style):
    paths = PATHS[style]
    if interface == "asgi":
        asyncio.run(ask_all(app, paths))
    else:
        ask_on_threads(app, paths, interface)
    streamed = [tag for number, tag in enumerate(REQUESTS) if target(number, tag, paths).startswith(("/def", "/async"))]
    assert sorted(heard.texts) == sorted((tag, tag) for tag in streamed)
    assert str(HERE) == "en"  # and nothing is left of them
