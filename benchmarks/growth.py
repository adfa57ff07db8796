"""`python -m benchmarks.growth`: instructions of a request in applications that grow, beside those of a small one.

A curve is flat, or linear in what a request passes or reads: the last point is at most 5 % above what the earlier ones
say. `benchmarks.floor` holds two or three small points of each. With `--write` the table of the
benchmarks' page is written.
"""

import sys
from argparse import ArgumentParser
from collections.abc import Callable, Generator, Iterator, Mapping
from typing import NamedTuple
from urllib.parse import urlencode

from antiphon import App, Request, Response
from antiphon.features import MemoryStore, Sessions
from antiphon.features.stores import hash_key

from . import interpreter, readme
from .cases import CASES, PAGE, Case, sending
from .harness import environ_of, fresh_environ, starter

PREFIX = "growth"
TOLERANCE = 0.05
"""What a wait in mounts within mounts passes through: each of their coroutines."""
HELLO = CASES["hello"]


def hello(_request: Request) -> str:
    return "Hello, world!"


def passing(_request: Request) -> Generator[None, Response, None]:
    yield


def routes(count: int) -> tuple[App, Case]:
    """Respond at the last route, which has a parameter before its last segment."""
    app = App()
    for number in range(count):
        app.get(f"/shelf{number}/<name>/books", name=f"shelf {number}")(hello)
    return app, HELLO._replace(path=f"/shelf{count - 1}/lamps/books")


def header_fields(count: int) -> tuple[App, Case]:
    app = App()
    app.get("/hello")(hello)
    return app, HELLO._replace(headers=PAGE | {f"x-field-{number}": f"value {number}" for number in range(count)})


def form_fields(count: int) -> tuple[App, Case]:
    names = [f"field{number}" for number in range(count)]

    def read(request: Request) -> str:
        form = request.form
        return str(sum(len(form[name]) for name in names))

    app = App()
    app.post("/form")(read)
    body = urlencode(dict.fromkeys(names, "a value")).encode()
    headers = sending(body, "application/x-www-form-urlencoded", PAGE | {"origin": "https://shop.example.com"})
    return app, HELLO._replace(method="POST", path="/form", headers=headers, body=body, answer=str(7 * count))


def middlewares(count: int) -> tuple[App, Case]:
    app = App()
    app.get("/hello")(hello)
    for _ in range(count):
        app.middleware(passing)
    return app, HELLO


def mounts(count: int) -> tuple[App, Case]:
    """Respond in an application within others."""
    app = App()
    app.get("/hello")(hello)
    for _ in range(count):
        app, inner = App(), app
        app.mount("/site", inner)
    return app, HELLO._replace(path="/site" * count + "/hello")


class Feature:
    """A feature with a route, and with a hook before each handler and one after."""

    def __init__(self, number: int) -> None:
        self.number = number

    def install(self, app: App) -> None:
        app.get(f"/feature{self.number}", name=f"feature {self.number}")(hello)
        app.before_request(lambda _request: None)
        app.after_request(lambda _request, _response: None)


def features(count: int) -> tuple[App, Case]:
    app = App()
    app.get("/hello")(hello)
    for number in range(count):
        app.use(Feature(number))
    return app, HELLO


def sessions(count: int) -> tuple[App, Case]:
    """Change one of so many sessions. The others are put into the store's memory as they are, which takes seconds."""
    app, store = App(secret_keys=["a key of sixteen bytes or more"]), MemoryStore()
    app.use(Sessions(store))

    @app.get("/hello")
    def visit(request: Request) -> str:
        request.session["visits"] = request.session.get("visits", 0) + 1
        return "Hello, world!"

    started: list[tuple[str, list[tuple[str, str]]]] = []
    app(fresh_environ(environ_of(HELLO), b""), starter(started))
    cookie = dict(started[0][1])["set-cookie"].partition(";")[0]
    rows = store._rows  # noqa: SLF001 - a million calls would take minutes
    (row,) = rows.by_id.values()
    rows.by_id.update((hash_key(str(number)), row) for number in range(count - 1))
    return app, HELLO._replace(headers=PAGE | {"cookie": cookie})


class Curve(NamedTuple):
    """An application of each size, and which of the sizes are held."""

    build: Callable[[int], tuple[App, Case]]
    sizes: tuple[int, ...]
    held: tuple[int, ...]
    """Two sizes of a flat curve, or three of a linear one."""


CURVES = {
    "routes": Curve(routes, (10, 100, 1_000, 10_000), (10, 1_000)),
    "header-fields": Curve(header_fields, (10, 50, 100, 200), (10, 50, 100)),
    "form-fields": Curve(form_fields, (10, 50, 100, 200), (50, 100, 200)),
    "middlewares": Curve(middlewares, (0, 5, 10, 20), (5, 10, 20)),
    "mounts": Curve(mounts, (0, 1, 2, 6), (1, 2, 6)),
    "features": Curve(features, (0, 5, 10, 20), (5, 10, 20)),
    "sessions": Curve(sessions, (10, 1_000, 100_000, 1_000_000), (10, 1_000)),
}


def cell(name: str, size: int) -> str:
    return f"{PREFIX}/{name}/{size}"


def built(name: str, size: str) -> tuple[App, Case]:
    return CURVES[name].build(int(size))


HELD = [cell(name, size) for name, curve in CURVES.items() for size in curve.held]


def expected(curve: Curve, costs: Mapping[int, float]) -> float:
    """Return the cost of the last held size, from the other ones."""
    first, *more, last = curve.held
    slope = sum((costs[size] - costs[first]) / (size - first) for size in more)
    return costs[first] + slope * (last - first)


def bent(counts: Mapping[str, float]) -> Iterator[str]:
    """Give a line for each curve that is neither flat nor linear, as it is meant to be."""
    for name, curve in CURVES.items():
        costs = {size: counts[cell(name, size)] for size in curve.held}
        last, most = curve.held[-1], expected(curve, costs)
        if (more := costs[last] / most - 1) > TOLERANCE:
            yield f"{name}: {last:,} take {more:.1%} more instructions than fewer let expect: {costs[last]:,.0f}"


def row(name: str, curve: Curve, counts: Mapping[str, float]) -> list[str]:
    kind = "flat" if len(curve.held) == 2 else "linear"
    told = [f"{size:,}: {counts[cell(name, size)] / 1000:,.1f}" for size in curve.sizes]
    return [name, kind, ", ".join(told)]


def main() -> int:
    parser = ArgumentParser(prog="python -m benchmarks.growth", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the table into the page")
    options = parser.parse_args()
    from .instructions import instructions  # which imports this module, for the process that counts

    counts = instructions([cell(name, size) for name, curve in CURVES.items() for size in curve.sizes])
    text = readme.table(
        ["more of", "cost", "thousand instructions a request"],
        [row(name, curve, counts) for name, curve in CURVES.items()],
    )
    print(text)
    if options.write:
        readme.write("growth", f"{text}\n\nCounted over WSGI with {interpreter.described().splitlines()[0]}.")
    found = [*bent(counts)]
    print(*found, sep="\n")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
