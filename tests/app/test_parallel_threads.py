"""Requests of many threads at once, as WSGI servers call an application: without the GIL all of them in parallel."""

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from time import sleep

import pytest

from antiphon import App, Response, current_request
from antiphon.app.route import checked_methods
from antiphon.testing import Client

THREADS = 8


@pytest.fixture
def switches_often():
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(interval)


def on_threads(call):
    """Call a function with the number of each thread, on all threads at once; return what it returns."""
    start = Barrier(THREADS)

    def run(number):
        start.wait(10)
        return call(number)

    with ThreadPoolExecutor(THREADS) as pool:
        return [*pool.map(run, range(THREADS))]


@pytest.mark.parametrize("_", range(5))
def test_the_first_requests_start_the_application_once(_, switches_often):
    app, started = App(), []

    @app.on_startup
    def start():
        started.append(sleep(0.001))

    @app.get("/")
    def handler(request):
        return str(len(started))

    assert on_threads(lambda _: Client(app, "wsgi").get("/").text) == ["1"] * THREADS


def test_each_request_gets_its_own_answer(switches_often, app):
    @app.get("/read/<name>")
    def read(request, name):
        language = request.accept_languages.best(["en", "de"])
        return f"{name} {current_request().args['n']} {request.cookies['c']} {language}"

    @app.post("/form")
    def form(request):
        return request.form["n"]

    @app.get("/waits/<name>")
    async def waits(request, name):
        await asyncio.sleep(0)
        return f"{name} {current_request().args['n']}"

    @app.get("/stream/<name>")
    def stream(request, name):
        request.after_response(lambda: ended.append(name))
        return Response.stream(iter([name, request.args["n"]]))

    def ask(number):
        client = Client(app, "wsgi")
        for each in range(12):
            n = f"{number}-{each}"
            headers = {"host": f"h{n}.example.com", "cookie": f"c={n}", "accept-language": f"de;q=0.5, x{each}"}
            assert client.get(f"/read/{n}?n={n}", headers=headers).text == f"{n} {n} {n} de"
            assert client.post("/form", form={"n": n}).text == n
            assert client.get(f"/waits/{n}?n={n}").text == f"{n} {n}"
            assert client.get(f"/stream/{n}?n={n}").text == n + n

    ended = []
    on_threads(ask)
    assert sorted(ended) == sorted(f"{number}-{each}" for number in range(THREADS) for each in range(12))
    assert not app.unfinished._requests


def is_interned(text):
    return text is sys.intern("".join([*text]))


def test_texts_that_routes_are_found_by_are_interned(app):
    """Without the GIL they are found without a lock then, by all threads."""
    literal, parameters, post = "".join(["/he", "llo"]), "".join(["/re", "ad/<name>"]), "".join(["po", "st"])
    app.route(literal, [post])(lambda request: "")
    app.get(parameters)(lambda request: "")
    router = app._freeze().router
    assert all(is_interned(path) for path in (*router.literal, *router._before_last))
    assert all(is_interned(method) for methods in router.literal.values() for method in methods)
    assert all(is_interned(method) for method in checked_methods([post], "/"))
