"""`python -m benchmarks.observers`: what an observer, metrics and the lines of an access log add to hello.

Metrics write to a file that workers share, as under `antiphon run`. Beside a line of the log stands what it costs as a
record of `logging`, which it is where a program watches `logging`. Fails where metrics take more than 0.6 us besides
what every observer takes, or a line more than a quarter of its record.
"""

import argparse
import asyncio
import gc
import logging
import os
import sys
from collections.abc import Iterator
from tempfile import TemporaryDirectory

from antiphon import App, Exchange, Observer
from antiphon.cli.logs import Logs
from antiphon.features import Metrics

from . import interpreter
from .apps.antiphon_app import HANDLERS, handlers
from .cases import CASES
from .harness import BATCH, AsgiServer, Server, WsgiServer

METRICS_GOAL = 0.6
"""Microseconds a request."""
LINE_GOAL = 0.25
"""The part of a record's time that a line may take."""
WAYS = ("none", "observed", "metrics", "text", "text, records", "json", "json, records")


class Nothing(Observer):
    """An observer that is told of all that metrics are told of, and does nothing."""

    def begin(self, exchange: Exchange) -> None:
        pass

    def stream(self, exchange: Exchange) -> None:
        pass

    def sent(self, exchange: Exchange) -> None:
        pass


class Observed:
    """A server of hello that is observed in one way, and the handlers of records that are there while it responds."""

    def __init__(self, interface: str, way: str, loop: asyncio.AbstractEventLoop, folder: str) -> None:
        app: App = handlers(HANDLERS, is_async=interface == "asgi").app
        self._root = logging.getLogger()
        self._root.handlers = []
        form = way.partition(",")[0]
        if way in ("observed", "metrics"):
            app.observe(Metrics(folder=folder) if way == "metrics" else Nothing())
        elif way != "none":
            logs = Logs(form)  # type: ignore[arg-type]  # it is one of the two
            logs.configure()
            logs.observe(app, interface)
            if form != way:
                self._root.handlers[0].addFilter(lambda _: True)
        self._handlers = self._root.handlers
        self._server: Server = WsgiServer(app) if interface == "wsgi" else AsgiServer(app, loop)
        self.least = float("inf")
        self.sample()

    def sample(self) -> None:
        self._root.handlers = self._handlers
        self.least = min(self.least, self._server.sample(CASES["hello"], 4 * BATCH))


def measure(interface: str, rounds: int, folder: str) -> Iterator[str]:
    """Print what each way takes; give what misses its goal."""
    loop = asyncio.new_event_loop()
    ways = {name: Observed(interface, name, loop, folder) for name in WAYS}
    gc.collect()
    gc.freeze()
    for _ in range(rounds):
        for way in ways.values():
            way.sample()
    more = {name: way.least - ways["none"].least for name, way in ways.items()}
    print(f"\n{interface.upper():16}{'us':>8}{'more':>8}")
    for name, way in ways.items():
        print(f"{name:16}{way.least:8.2f}{more[name]:8.2f}")
    if (of_metrics := more["metrics"] - more["observed"]) > METRICS_GOAL:
        yield f"MISSED: {interface}: metrics take {of_metrics:.2f} us, not {METRICS_GOAL}"
    for form in ("text", "json"):
        if (part := more[form] / more[f"{form}, records"]) > LINE_GOAL:
            yield f"MISSED: {interface}: a line of {form} takes {part:.2f} of its record's time, not {LINE_GOAL}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.observers", description=__doc__)
    parser.add_argument("--rounds", type=int, default=40, help="samples for each way (40)")
    options = parser.parse_args()
    print(interpreter.described())
    stderr, sys.stderr = sys.stderr, open(os.devnull, "w", buffering=1, encoding="utf-8")  # noqa: SIM115 - to the end
    with TemporaryDirectory() as folder:
        missed = [line for interface in ("wsgi", "asgi") for line in measure(interface, options.rounds, folder)]
    sys.stderr = stderr
    print(*missed, sep="\n")
    return bool(missed)


if __name__ == "__main__":
    sys.exit(main())
