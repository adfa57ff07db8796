"""`python -m benchmarks.sessions`: a session read and a session written, beside Flask and Starlette, in this process.

All of them keep the session in a signed cookie. Antiphon's in memory and in SQLite are shown, too, and so is a page
that leaves the session alone, in an app with sessions and in one without. Fails where Antiphon is not ahead of Flask
over WSGI, and of Starlette over ASGI.
"""

import argparse
import asyncio
import gc
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import flask
from flask.typing import ResponseReturnValue
from starlette import requests as starlette
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from antiphon import App, Request, aget_response, get_response
from antiphon.features import CookieStore, MemoryStore, Sessions, SQLiteStore, Store
from antiphon.http import SetCookie

from .cases import PAGE, Case
from .harness import BATCH, AsgiServer, Server, WsgiServer

KEY = "k" * 32
VISITOR = {"user": 4711, "csrf": "x" * 43, "theme": "dark", "cart": [{"id": number, "n": 1} for number in range(5)]}
ANSWERS = {"hello": "Hello, world!", "read": "user 4711, dark", "write": "user 4711, light"}
PEERS = {"wsgi": "flask", "asgi": "starlette"}
JUDGED = "cookie"
ALONE = "without"
"""The name of Antiphon's app that has no sessions."""

Session = Any


def begin(session: Session) -> str:
    session.update(VISITOR)
    return "begun"


def read(session: Session) -> str:
    return f"user {session['user']}, {session['theme']}"


def write(session: Session) -> str:
    session["theme"] = "light"
    return read(session)


ACTS = {"begin": begin, "read": read, "write": write}


def antiphon_app(store: Store | None, interface: str) -> App:
    """Antiphon with its sessions in a store, or without any; handlers are `def` over WSGI, `async def` over ASGI."""
    app = App()
    if store is not None:
        app.use(Sessions(store))

    def hello(_request: Request) -> str:
        return ANSWERS["hello"]

    async def ahello(_request: Request) -> str:
        return ANSWERS["hello"]

    app.get("/hello")(hello if interface == "wsgi" else ahello)
    for name, act in ACTS.items():

        def handle(request: Request, act: Any = act) -> str:
            return str(act(request.session))

        async def ahandle(request: Request, act: Any = act) -> str:
            return str(act(request.session))

        app.get(f"/{name}", name=name)(handle if interface == "wsgi" else ahandle)
    return app


def flask_app() -> flask.Flask:
    app = flask.Flask(__name__)
    app.secret_key = KEY
    text = {"Content-Type": "text/plain; charset=utf-8"}

    @app.get("/hello")
    def hello() -> ResponseReturnValue:
        return ANSWERS["hello"], text

    for name, act in ACTS.items():

        def handle(act: Any = act) -> ResponseReturnValue:
            return act(flask.session), text

        app.add_url_rule(f"/{name}", name, handle)
    return app


def starlette_app() -> Starlette:
    async def hello(_request: starlette.Request) -> PlainTextResponse:
        return PlainTextResponse(ANSWERS["hello"])

    async def answer(request: starlette.Request) -> PlainTextResponse:
        return PlainTextResponse(ACTS[request.url.path[1:]](request.session))

    routes = [Route("/hello", hello), *(Route(f"/{name}", answer) for name in ACTS)]
    return Starlette(routes=routes, middleware=[Middleware(SessionMiddleware, secret_key=KEY, https_only=True)])


class Visitor(NamedTuple):
    """A server, and the cases as they are asked of it: with the cookie that it gave the visitor."""

    server: Server
    cases: Mapping[str, Case]


def visitor(server: Server, app: Any, interface: str, loop: asyncio.AbstractEventLoop, *, begins: bool) -> Visitor:
    headers = PAGE
    if begins:
        request = Request.blank("https://shop.example.com/begin", headers=PAGE)
        response = (
            get_response(app, request) if interface == "wsgi" else loop.run_until_complete(aget_response(app, request))
        )
        headers = {**PAGE, "cookie": SetCookie.parse(response.headers["set-cookie"]).pair}
    names = ANSWERS if begins else ["hello"]
    return Visitor(
        server, {name: Case(name, "GET", f"/{name}", headers, "text/plain", ANSWERS[name]) for name in names}
    )


def visitors(interface: str, folder: Path, loop: asyncio.AbstractEventLoop, stack: ExitStack) -> dict[str, Visitor]:
    stores: dict[str, Store | None] = {
        JUDGED: CookieStore([KEY]),
        "memory": MemoryStore(),
        "sqlite": SQLiteStore(folder / f"{interface}.db"),
        ALONE: None,
    }
    apps: dict[str, Any] = {name: antiphon_app(store, interface) for name, store in stores.items()}
    apps[PEERS[interface]] = flask_app() if interface == "wsgi" else starlette_app()
    found = {}
    for name, app in apps.items():
        server: Server = WsgiServer(app) if interface == "wsgi" else AsgiServer(app, loop)
        stack.callback(server.close)
        found[name] = visitor(server, app, interface, loop, begins=name != ALONE)
    for store in stores.values():
        if store is not None:
            stack.callback(store.close)
    return found


def measure(visitors: Mapping[str, Visitor], case: str, rounds: int, calls: int) -> dict[str, float]:
    """Microseconds of CPU time a request by name: the least of `rounds` samples, taken by turns."""
    asked = {name: each for name, each in visitors.items() if case in each.cases}
    for each in asked.values():
        each.server.verify(each.cases[case])
        each.server.sample(each.cases[case], BATCH)
    gc.collect()
    gc.freeze()
    best = dict.fromkeys(asked, float("inf"))
    for _ in range(rounds):
        for name, each in asked.items():
            best[name] = min(best[name], each.server.sample(each.cases[case], calls))
    return best


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sessions", description=__doc__)
    parser.add_argument("--rounds", type=int, help="samples for each case (40; 5 if quick)")
    parser.add_argument("--quick", action="store_true", help="few and small samples, to see that all works")
    options = parser.parse_args()
    rounds, calls = options.rounds or (5 if options.quick else 40), BATCH if options.quick else 4 * BATCH
    behind = []
    print("Microseconds a request, and how many times that of Antiphon with a signed cookie")
    for interface, peer in PEERS.items():
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            loop = asyncio.new_event_loop()
            stack.callback(loop.close)
            known = visitors(interface, folder, loop, stack)
            results = {case: measure(known, case, rounds, calls) for case in ANSWERS}
        print("".join([f"\n{interface.upper():12}", *(f"{case:>18}" for case in results)]))
        for name in known:
            entries = [
                f"{times[name]:.2f} ({times[name] / times[JUDGED]:5.2f}x)" if name in times else "-"
                for times in results.values()
            ]
            print("".join([f"{name:12}", *(f"{entry:>18}" for entry in entries)]), flush=True)
        behind += [
            f"{case} over {interface.upper()}: {times[JUDGED]:.2f} us; {peer} takes {times[peer]:.2f} us"
            for case, times in results.items()
            if times[JUDGED] >= times[peer]
        ]
    for line in behind:
        print(f"NOT AHEAD: {line}")
    return 1 if behind else 0


if __name__ == "__main__":
    sys.exit(main())
