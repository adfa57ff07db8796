"""`python -m benchmarks.access_log`: what the access log of `antiphon run` adds to hello, in this process.

Beside it stands what the same lines cost as records of `logging`, which they are where somebody watches it. Fails where
a line costs more than a quarter of its record.
"""

import argparse
import asyncio
import gc
import logging
import os
import sys
from typing import Literal

from antiphon import App, Exchange, Observer, Request
from antiphon.cli.logs import Logs

from . import interpreter
from .cases import CASES
from .harness import BATCH, AsgiServer, Server, WsgiServer

GOAL = 0.25
"""The part of a record's time that a line may take."""
HELLO = CASES["hello"]
Interface = Literal["wsgi", "asgi"]


class Nothing(Observer):
    """An observer that does nothing."""

    def sent(self, exchange: Exchange) -> None:
        pass


class Logged:
    """A server of an application, and the handlers of records that are there while it answers."""

    def __init__(self, interface: Interface, loop: asyncio.AbstractEventLoop, form: str, *, is_watched: bool) -> None:
        app = hello(interface)
        self._root = logging.getLogger()
        self._root.handlers = []
        if form in ("text", "json"):
            logs = Logs(form)  # type: ignore[arg-type]  # it is one of the two
            logs.configure()
            logs.observe(app, interface)
            if is_watched:
                self._root.handlers[0].addFilter(lambda _: True)
        elif form == "observed":
            app.observe(Nothing())
        self._handlers = self._root.handlers
        self._server: Server = WsgiServer(app) if interface == "wsgi" else AsgiServer(app, loop)
        self.least = float("inf")
        self.sample()

    def sample(self) -> None:
        self._root.handlers = self._handlers
        self.least = min(self.least, self._server.sample(HELLO, 4 * BATCH))


def hello(interface: Interface) -> App:
    app = App()

    def answer(_request: Request) -> str:
        return "Hello, world!"

    async def respond_on_loop(_request: Request) -> str:
        return "Hello, world!"

    app.get("/hello")(answer if interface == "wsgi" else respond_on_loop)
    return app


def measure(interface: Interface, rounds: int) -> list[str]:
    """Print what each way takes; return what misses its goal."""
    loop = asyncio.new_event_loop()
    ways = {
        name: Logged(interface, loop, name.partition(",")[0], is_watched="records" in name)
        for name in ("none", "observed", "text", "text, records", "json", "json, records")
    }
    gc.collect()
    gc.freeze()
    for _ in range(rounds):
        for way in ways.values():
            way.sample()
    base = ways["none"].least
    print(f"\n{interface.upper():16}{'us':>8}{'more':>8}")
    for name, way in ways.items():
        print(f"{name:16}{way.least:8.2f}{way.least - base:8.2f}")
    parts = {form: (ways[form].least - base) / (ways[f"{form}, records"].least - base) for form in ("text", "json")}
    return [
        f"MISSED: {interface}: a line of {form} takes {part:.2f} of its record's time, not {GOAL}"
        for form, part in parts.items()
        if part > GOAL
    ]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.access_log", description=__doc__)
    parser.add_argument("--rounds", type=int, default=40, help="samples for each way (40)")
    options = parser.parse_args()
    print(interpreter.described())
    stderr, sys.stderr = sys.stderr, open(os.devnull, "w", buffering=1, encoding="utf-8")  # noqa: SIM115 - to the end
    missed = [line for interface in ("wsgi", "asgi") for line in measure(interface, options.rounds)]  # type: ignore[arg-type]
    sys.stderr = stderr
    print(*missed, sep="\n")
    return bool(missed)


if __name__ == "__main__":
    sys.exit(main())
