"""`python -m benchmarks.everyday`: work that applications do, beside frameworks on the servers they recommend.

A page of 50 rows out of a database, 1,000 rows as JSON, an order of 100 items that is validated, a file of 1 MiB, and a
session read and written. Counts the CPU time, user and system, of all of a server's processes for a request. Fails
where a framework takes less of it than Antiphon. Linux only.
"""

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict
from functools import partial
from hashlib import sha256
from importlib.util import find_spec
from signal import SIGTERM, signal
from statistics import median
from typing import NamedTuple

from . import interpreter, readme
from .everyday_apps import shop
from .load import Load, LoadError, fields_of
from .report import OURS, aligned
from .server_process import ServerProcess, cpu_time, on_linux, settled
from .wire import UVICORN

CONNECTIONS = 8
PATIENT_UVICORN = (*UVICORN, "--timeout-keep-alive=75")
"""Connections rest while other servers have their turn."""
FILE = bytes(range(256)) * 4096
ITEMS = [{"name": f"Lamp {number}", "price": 2.5, "count": number % 3 + 1} for number in range(100)]
ORDER = json.dumps({"customer": "Zoë", "items": ITEMS}, ensure_ascii=False).encode()
BOUNDARY = b"----WebKitFormBoundary7MA4YWxkTrZu0gW"
FORM = (
    b"--" + BOUNDARY + b'\r\nContent-Disposition: form-data; name="file"; filename="lamp.raw"\r\n'
    b"Content-Type: application/octet-stream\r\n\r\n" + FILE + b"\r\n--" + BOUNDARY + b"--\r\n"
)


ROWS = [asdict(row) for row in shop.ROWS]


class Server(NamedTuple):
    """A framework on its server: the packages whose versions are told, and the arguments to Python."""

    packages: tuple[str, ...]
    command: tuple[str, ...]


SERVERS = {
    OURS: Server(("granian",), ("-m", "antiphon", "run", "{app}", "--port={port}", "--no-access-log")),
    "blacksheep": Server(("blacksheep", "uvicorn"), PATIENT_UVICORN),
    "django": Server(
        ("django", "django-ninja", "gunicorn"),
        ("-m", "gunicorn", "{app}", "--bind=127.0.0.1:{port}", "--log-level=error", "--threads=2", "--keep-alive=75"),
    ),
    "fastapi": Server(("fastapi", "uvicorn"), PATIENT_UVICORN),
    "litestar": Server(("litestar", "uvicorn"), PATIENT_UVICORN),
    "robyn": Server(
        ("robyn",), ("-m", "benchmarks.everyday_apps.robyn_app", "--log-level=ERROR", "--listen", "{port}")
    ),
    "sanic": Server(
        ("sanic",), ("-m", "sanic", "{app}", "--single-process", "--port={port}", "--no-access-logs", "--no-motd")
    ),
}


def is_page(body: bytes) -> bool:
    return body.count(b"<tr>") == body.count(b"&lt;brass &amp; glass&gt;") == len(shop.NAMES)


def is_rows(body: bytes) -> bool:
    return bool(json.loads(body) == ROWS)


def is_total(body: bytes) -> bool:
    return bool(json.loads(body) == {"total": sum(each["price"] * each["count"] for each in ITEMS)})


def is_digest(body: bytes) -> bool:
    return bool(json.loads(body) == {"sha256": sha256(FILE).hexdigest()})


class Work(NamedTuple):
    """A request, what its answer has to be, and how many of them make a sample."""

    title: str
    target: str
    is_right: Callable[[bytes], bool]
    requests: int
    content_type: str = ""
    body: bytes = b""
    lacking: tuple[str, ...] = ()

    def as_sent(self, cookie: str = "") -> bytes:
        fields = [f"{'POST' if self.body else 'GET'} {self.target} HTTP/1.1", "Host: 127.0.0.1"]
        if self.body:
            fields += [f"Content-Type: {self.content_type}", f"Content-Length: {len(self.body)}"]
        if cookie:
            fields.append(f"Cookie: {cookie}")
        return "\r\n".join([*fields, "", ""]).encode() + self.body


WORK = {
    "page": Work("page of 50 rows", "/page", is_page, 50),
    "rows": Work("1,000 rows as JSON", "/rows", is_rows, 50),
    "order": Work("order of 100 items", "/orders", is_total, 200, "application/json", ORDER),
    "upload": Work(
        "file of 1 MiB", "/upload", is_digest, 20, f"multipart/form-data; boundary={BOUNDARY.decode()}", FORM
    ),
    "session": Work("session", "/visit", b"welcome".__eq__, 200, lacking=("robyn", "sanic")),
}


class Cell(NamedTuple):
    """The microseconds of CPU time a request of one work, by framework; samples are taken by turns."""

    work: Work
    samples: Mapping[str, Sequence[float]]

    def time(self, name: str) -> float:
        return median(self.samples[name])

    def ratio(self, name: str) -> float:
        """How many times Antiphon's CPU time a framework's is, by the rounds."""
        return median(theirs / ours for theirs, ours in zip(self.samples[name], self.samples[OURS], strict=True))

    def entry(self, name: str) -> str:
        if name not in self.samples:
            return "has none"
        return f"{self.time(name):,.0f}" + ("" if name == OURS else f" ({self.ratio(name):.2f})")


def check(work: Work, status: int, _fields: Sequence[tuple[str, str]], body: bytes) -> None:
    if status != 200 or not work.is_right(body):
        raise LoadError(f"{work.title}: {status} {body[:500]!r}")


def begun(server: ServerProcess, work: Work) -> bytes:
    """The request as it is sent: one to a session bears the cookie that the first answer has set."""
    with closing(server.when_ready(partial(Load, request=work.as_sent(), connections=1))) as load:
        answer = load.first_answer()
    cookies = [value for name, value in fields_of(answer.partition(b"\r\n\r\n")[0]) if name == "set-cookie"]
    return work.as_sent("; ".join(each.partition(";")[0] for each in cookies))


def compare(work: Work, servers: Mapping[str, ServerProcess], options: Namespace) -> Cell:
    with ExitStack() as stack:
        loads: dict[str, Load] = {}
        for name, server in servers.items():
            try:
                load = Load(server.port, begun(server, work), CONNECTIONS)
                loads[name] = stack.enter_context(closing(load))
                load.verify(partial(check, work), varies=True)
                load.send(options.requests or work.requests)
            except LoadError as error:
                raise LoadError(f"{name}: {error}") from error
        clocks = {name: server.cpu_clocks() for name, server in servers.items()}
        samples: dict[str, list[float]] = {name: [] for name in loads}
        for _ in range(options.rounds):
            for name, load in loads.items():
                count, used = options.requests or work.requests, cpu_time(clocks[name])
                load.send(count)
                samples[name].append((cpu_time(clocks[name]) - used) / count / 1000)
        return Cell(work, samples)


def table(cells: Sequence[Cell]) -> str:
    """Microseconds for each framework and work, with their ratio to Antiphon's."""
    names = dict.fromkeys(name for cell in cells for name in cell.samples)
    rows = [["µs of CPU time", *(cell.work.title for cell in cells)]]
    return aligned(rows + [[readme.title(name), *(cell.entry(name) for cell in cells)] for name in names])


def measure(options: Namespace, settle: Callable[[], None]) -> list[Cell]:
    with ExitStack() as stack:
        servers: dict[str, ServerProcess] = {}
        for name in options.framework:
            app = f"benchmarks.everyday_apps.{name}_app:app"
            servers[name] = stack.enter_context(closing(ServerProcess(SERVERS[name].command, app, settle)))
            begun(servers[name], WORK["page"])  # they share a core: the next one starts when this one has
        return [
            compare(work, {name: each for name, each in servers.items() if name not in work.lacking}, options)
            for work in map(WORK.__getitem__, options.work)
        ]


@on_linux
def main() -> int:
    options = parse_options()
    signal(SIGTERM, lambda *_: sys.exit("terminated"))  # so that the servers are stopped
    packages = dict.fromkeys(package for name in options.framework for package in SERVERS[name].packages)
    told = f"{interpreter.described()}\n{interpreter.versions(*packages)}"
    print(told, flush=True)
    cells = measure(options, settled(free=options.free))
    print(table(cells))
    behind = [
        f"NOT AHEAD: {cell.work.title}: {name} takes {cell.ratio(name):.2f} of Antiphon's time"
        for cell in cells
        for name in cell.samples
        if name != OURS and not options.quick and cell.ratio(name) <= 1
    ]
    for text in behind:
        print(text)
    if options.write:
        readme.write("everyday", f"{told.replace(chr(10), '; ')}.\n\n{table(cells)}")
    return 1 if behind else 0


def parse_options() -> Namespace:
    parser = ArgumentParser(prog="python -m benchmarks.everyday", description=__doc__)
    installed = [name for name in SERVERS if find_spec(name)]
    parser.add_argument("--work", action="append", choices=WORK, help="measure only this (repeatable)")
    parser.add_argument("--framework", action="append", choices=installed, help="compare with this one (repeatable)")
    parser.add_argument("--rounds", type=int, default=20, help="samples for each framework and work (20)")
    parser.add_argument("--requests", type=int, help="requests a sample, in place of each work's own number")
    parser.add_argument("--free", action="store_true", help="let the system schedule the servers as it likes")
    parser.add_argument("--quick", action="store_true", help="few and small samples, to see that all works")
    parser.add_argument("--write", action="store_true", help="write the table into benchmarks/README.md")
    options = parser.parse_args()
    if options.write and (options.work or options.framework or options.quick):
        parser.error("--write takes the whole table, with samples of full size")
    options.work = options.work or list(WORK)
    options.framework = [name for name in installed if name in (OURS, *(options.framework or installed))]
    if options.quick:
        options.rounds, options.requests = 2, 2 * CONNECTIONS
    return options


if __name__ == "__main__":
    sys.exit(main())
