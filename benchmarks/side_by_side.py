"""`python -m benchmarks.side_by_side --write`: the figures of README.md and docs/reference/dialects.md.

Measures each program of `examples/dialects` on its dialect, beside the library that the dialect speaks, and the
application of the README beside the same one written with other frameworks. With `--write` the figures go into
`side_by_side.json`, and from there into these pages. Nothing is judged.
"""

import asyncio
import gc
import json
import logging
import os
import re
import shutil
import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from typing import Any

from antiphon.http import SetCookie
from antiphon.testing import Client
from examples.dialects.programs import BOUNDARY, OVER_ASGI, PARTS, PROGRAMS, Program, problem

from .apps import handlers
from .cases import FETCH, PAGE, Case, WrongAnswerError, sending
from .harness import BATCH, AsgiServer, Exchange, Message, Server, WsgiServer, compare

FILE = Path(__file__).with_suffix(".json")
HOST = "https://shop.example.com"
LIBRARIES = ("flask", "werkzeug", "microdot", "webob", "pyramid", "asok", "starlette", "fastapi")
LAMP = json.dumps({"name": "Lamp", "price": 20}).encode()
FORM = PARTS.replace(b'name="title"\r\n\r\nLamp', b'name="name"\r\n\r\nLamp').replace(
    b'; name="picture"',
    b'; name="price"\r\n\r\n20\r\n--' + BOUNDARY.encode() + b'\r\nContent-Disposition: form-data; name="picture"',
)
FRAMEWORKS = {"wsgi": ("antiphon", "flask"), "asgi": ("antiphon", "starlette", "fastapi")}
Figures = dict[str, dict[str, list[float | None]]]


class Asked(Case):
    """A request to a program; the answer is the program, and which of its answers is expected."""

    def check(self, status: int, headers: Sequence[tuple[str, str]], body: bytes) -> None:
        program, number = self.answer
        if wrong := problem(program, number, status, [*headers], body):
            raise WrongAnswerError(f"{self.name}: {wrong}")


class Lamps(Case):
    """A request to an application of the README; of the answer only the status is judged, as tests judge the rest."""

    def check(self, status: int, headers: Sequence[tuple[str, str]], body: bytes) -> None:  # noqa: ARG002
        if status != self.status:
            raise WrongAnswerError(f"{self.name}: {status}: {body[:500]!r}")


class LeavingExchange(Exchange):
    """One request, from a client that leaves when it has the response: some applications wait for that."""

    __slots__ = ("has_all", "is_over")

    def __init__(self, template: Mapping[str, Any], body: bytes, started: list[Message]) -> None:
        super().__init__(template, body, started)
        self.is_over = False
        self.has_all: asyncio.Future[None] | None = None

    async def receive(self) -> Message:
        if not self.delivered:
            return await super().receive()
        if not self.is_over:
            self.has_all = asyncio.get_running_loop().create_future()
            await self.has_all
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        await super().send(message)
        if "body" in message and not message.get("more_body"):
            self.is_over = True
            if self.has_all is not None:
                self.has_all.set_result(None)


LAMP_CASES = (
    Lamps(
        "a form with a picture",
        "POST",
        "/lamps",
        sending(FORM, f"multipart/form-data; boundary={BOUNDARY}", PAGE | {"origin": HOST}),
        "",
        "",
        body=FORM,
        status=303,
    ),
    Lamps("JSON", "PUT", "/lamps/1", sending(LAMP, "application/json", FETCH), "", "", body=LAMP),
    Lamps("an error", "GET", "/lamps/0", FETCH, "", "", status=404),
)


def main() -> int:
    parser = ArgumentParser(prog="python -m benchmarks.side_by_side", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="samples for each program (20)")
    parser.add_argument("--quick", action="store_true", help="few and small samples, to see that all works")
    parser.add_argument("--write", action="store_true", help="write the figures, and the pages that show them")
    options = parser.parse_args()
    os.environ["SECRET_KEY"] = "of no use to anybody, and long enough"
    logging.disable(logging.WARNING)  # or Asok writes a line for each request
    rounds, calls = (2, BATCH) if options.quick else (options.rounds, 2 * BATCH)
    loop = asyncio.new_event_loop()
    figures = {
        "when": f"{datetime.now(UTC):%-d %B %Y}",
        "python": f"CPython {python_version()}",
        "versions": {name: version(name) for name in LIBRARIES},
        "programs": dict(programs(loop, rounds, calls)),
        "frameworks": dict(frameworks(loop, rounds, calls)),
    }
    loop.close()
    if options.write:
        FILE.write_text(re.sub(r"\[\s+(\S+)\s+(\S+)\s+\]", r"[\1 \2]", json.dumps(figures, indent=1)) + "\n")
        from scripts import tables

        tables.main()
    return 0


# The programs


def programs(loop: asyncio.AbstractEventLoop, rounds: int, calls: int) -> Iterator[tuple[str, Any]]:
    """Measure each program in each way: microseconds a request, and those on the original, or None."""
    for program in PROGRAMS:
        times: dict[str, tuple[float, float | None]] = {}
        for way in program.ways():
            times[way] = measured(program, way, loop, rounds, calls)
            ours, theirs = times[way]
            told = "" if theirs is None else f"{theirs:9.1f}{theirs / ours:7.1f}x"
            print(f"{program.name:12}{way:10}{ours:9.1f}{told}", flush=True)
        yield program.name, times


def measured(
    program: Program, way: str, loop: asyncio.AbstractEventLoop, rounds: int, calls: int
) -> tuple[float, float | None]:
    apps = {"dialect": program.load(way)}
    if program.has_original(way):
        apps["original"] = program.load(way, original=True)
    if way == "asok":
        for app in apps.values():
            app.config["RATE_LIMIT"] = False
    servers: dict[str, Server] = {name: served(app, way, loop) for name, app in apps.items()}
    cases = {name: asked(program, way, app) for name, app in apps.items()}
    for name, server in servers.items():
        server.verify(cases[name])
        server.sample(cases[name], BATCH)
    gc.collect()
    gc.freeze()
    samples = [{name: server.sample(cases[name], calls) for name, server in servers.items()} for _ in range(rounds)]
    best = {name: round(min(sample[name] for sample in samples), 1) for name in servers}
    for server in servers.values():
        server.close()
    return best["dialect"], best.get("original")


def served(app: Any, way: str, loop: asyncio.AbstractEventLoop) -> Server:
    return AsgiServer(app, loop, exchange=LeavingExchange) if way in OVER_ASGI else WsgiServer(app)


def asked(program: Program, way: str, app: Any) -> Asked:
    """Return the request of a program, with the cookies that its first answer has set where it answers twice."""
    headers = sending(program.body, program.content_type, PAGE | {"origin": HOST}) if program.body else PAGE
    if len(program.answers) > 1:
        first = Client(app, "asgi" if way in OVER_ASGI else "wsgi", base_url=HOST).get("/")
        pairs = [SetCookie.parse(value).pair for name, value in first.headers.items() if name.lower() == "set-cookie"]
        headers = headers | {"cookie": "; ".join(pairs)}
    path, _, query = program.target.partition("?")
    expected = (program, len(program.answers) - 1)
    status = program.answers[-1].status
    return Asked(program.name, program.method, path, headers, "", expected, query, program.body, status)


# The application of the README


def frameworks(loop: asyncio.AbstractEventLoop, rounds: int, calls: int) -> Iterator[tuple[str, Any]]:
    """Measure the application of the README over each interface: microseconds a request."""
    for interface, names in FRAMEWORKS.items():
        modules = {name: lamps(name, interface) for name in names}
        servers: Mapping[str, Server] = {
            name: AsgiServer(module.app, loop) if interface == "asgi" else WsgiServer(module.app)
            for name, module in modules.items()
        }
        times = {case.name: compare(servers, case, rounds, calls) for case in LAMP_CASES}
        for name, module in modules.items():
            servers[name].close()
            shutil.rmtree(module.pictures)
            found = {case: round(each[name], 1) for case, each in times.items()}
            print(f"{interface} {name:10}{found}", flush=True)
            yield f"{name} {interface}", found


def lamps(framework: str, interface: str) -> Any:
    """Return a module with the application; where Antiphon is served over ASGI, its handlers are ``async def``."""
    path = Path(__file__).parents[1] / f"examples/frameworks/{framework}_app.py"
    return handlers(path, is_async=(framework, interface) == ("antiphon", "asgi"))


if __name__ == "__main__":
    sys.exit(main())
