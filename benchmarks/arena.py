"""`python -m benchmarks.arena`: profiles of HttpArena on this machine, with our entry, others' entries, Node and Go.

Needs a checkout of HttpArena, wrk, and what the entries import; a server whose command is missing is left out. Each
server has one process on one core, and wrk has the others. It compares, and fails only for a wrong response: the
rounds' best counts, as requests for each second of the server's CPU time. Linux only.
"""

import os
import re
import subprocess
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory
from time import CLOCK_MONOTONIC, clock_gettime, sleep
from typing import NamedTuple

from . import interpreter, readme
from .server_process import cpu_clock, cpu_time, free_port, on_linux, settled, with_children

APPS = Path(__file__).with_name("arena_apps")
OURS = "antiphon run"
FASTPYSGI = """import app, fastpysgi
fastpysgi.server.max_content_length = 31_000_000
fastpysgi.run(app.app, host='127.0.0.1', port={port}, workers=1)"""
UVICORN = ("-m", "uvicorn", "app:app", "--port={port}", "--loop=uvloop", "--log-level=critical")
RUN = ("-m", "antiphon", "run", "app:app", "--port={port}", "--no-access-log")
START = 30.0
"""Seconds until which a server has to respond."""


class Server(NamedTuple):
    """A command and the folder in which it runs: one of HttpArena's entries, or ours if none is named."""

    command: tuple[str, ...]
    entry: str = ""
    program: str = sys.executable


class Profile(NamedTuple):
    """Raw requests, which wrk sends in turn on so many connections."""

    requests: tuple[bytes, ...]
    connections: int


class Cell(NamedTuple):
    """Requests a second, requests for each second of the server's CPU time, and bytes of a response."""

    rate: float
    by_cpu: float
    size: float


SERVERS = {
    OURS: Server((sys.executable, *RUN)),
    "antiphon run, RSGI": Server((sys.executable, *RUN, "--interface=rsgi")),
    "Antiphon on FastPySGI": Server((sys.executable, "-c", FASTPYSGI)),
    "bare FastPySGI": Server((sys.executable, "-c", FASTPYSGI), "fastpysgi-asgi"),
    "bare Uvicorn": Server((sys.executable, *UVICORN), "uvicorn"),
    "FastAPI on Uvicorn": Server((sys.executable, *UVICORN), "fastapi"),
    "Flask on Gunicorn": Server(
        (sys.executable, "-m", "gunicorn", "--bind=127.0.0.1:{port}", "--log-level=critical", "app:app"), "flask"
    ),
    "Node, http": Server(("node", "node.mjs"), program="node"),
    "Go, net/http": Server(("sh", "-c", "go build -o {folder}/server main.go && exec {folder}/server"), program="go"),
}
ROTATION = """
local requests = {}
for path in io.lines(os.getenv("ARENA_REQUESTS")) do
  local file = io.open(path, "rb")
  requests[#requests + 1] = file:read("*a")
  file:close()
end
local count = 0
request = function()
  count = count + 1
  return requests[(count - 1) % #requests + 1]
end
"""
STATIC = "br;q=1, gzip;q=0.8"
SIZES = (500 << 10, 2 << 20, 10 << 20, 20 << 20)


def profiles(checkout: Path, database: bool) -> dict[str, Profile]:
    """Return HttpArena's profiles over HTTP/1.1, with fewer connections: it has 64 cores."""
    folder = checkout / "requests"

    def raw(*names: str) -> tuple[bytes, ...]:
        return tuple((folder / f"{name}.raw").read_bytes() for name in names)

    baseline = raw("get", "post_cl", "post_chunked")
    last = tuple(each.replace(b"\r\n", b"\r\nConnection: close\r\n", 1) for each in baseline[:1])
    paths = re.findall(r'"(/static/[^"]+)"', (folder / "static-rotate.lua").read_text())
    found = {
        "baseline": Profile(baseline, 64),
        "limited-conn": Profile((*(baseline * 3), *last), 64),
        "json": Profile(raw(*(f"json-{count}" for count in (1, 5, 10, 15, 25, 40, 50))), 64),
        "json-comp": Profile(raw("json-gzip-25", "json-gzip-40", "json-gzip-50"), 64),
        "upload": Profile(tuple(_request("POST", "/upload", bytes(size)) for size in SIZES), 8),
        "static": Profile(tuple(_request("GET", path, b"", f"Accept-Encoding: {STATIC}") for path in paths), 64),
    }
    if database:
        found["async-db"] = Profile(raw(*(f"async-db-{limit}" for limit in (5, 10, 20, 35, 50))), 64)
    return found


def _request(method: str, path: str, body: bytes, *lines: str) -> bytes:
    length = (f"Content-Length: {len(body)}",) if body else ()
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: localhost", *lines, *length, "", ""]).encode() + body


@contextmanager
def serving(server: Server, options: Namespace, folder: Path) -> Iterator[tuple[int, int]]:
    """Serve until the end of the block: the port, and the id of the process."""
    port = free_port()
    process = subprocess.Popen(
        [part.format(port=port, folder=folder) for part in server.command],
        cwd=options.httparena / "frameworks" / server.entry if server.entry else APPS,
        env=_environment(options, port),
        preexec_fn=options.settle,  # noqa: PLW1509 - there are no other threads
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _wait(port, process)
        yield port, process.pid
    finally:
        with suppress(ProcessLookupError):  # a server that did not start
            os.killpg(process.pid, 15)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            process.wait()


def _environment(options: Namespace, port: int) -> dict[str, str]:
    data = options.httparena / "data"
    own = {"ARENA_DATA": str(data), "DATASET_PATH": str(data / "dataset.json"), "PORT": str(port), "GOMAXPROCS": "1"}
    if options.database:
        own |= {"DATABASE_URL": options.database, "DATABASE_MAX_CONN": "64"}
    return {**os.environ, **own}


def _wait(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = clock_gettime(CLOCK_MONOTONIC) + START
    while process.poll() is None and clock_gettime(CLOCK_MONOTONIC) < deadline:
        try:
            status, body = _get(port, "/baseline11?a=13&b=42")
        except (OSError, HTTPException):
            sleep(0.1)
            continue
        if (status, body) != (200, b"55"):
            raise RuntimeError(f"/baseline11 must be 55, not {status} {body[:80]!r}")
        return
    raise RuntimeError("the server did not start")


def _get(port: int, path: str) -> tuple[int, bytes]:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def load(profile: Profile, port: int, process: int, seconds: int, folder: Path) -> Cell:
    """Send a profile's requests for so many seconds. Raises RuntimeError for a response that is not a success."""
    paths = [folder / f"{index}.raw" for index in range(len(profile.requests))]
    for path, request in zip(paths, profile.requests, strict=True):
        path.write_bytes(request)
    listing, script = folder / "requests", folder / "rotation.lua"
    listing.write_text("".join(f"{path}\n" for path in paths))
    script.write_text(ROTATION)
    clocks = [cpu_clock(each) for each in with_children(process)]
    before = cpu_time(clocks)
    wrk = ["wrk", "--threads=1", f"--connections={profile.connections}", f"--duration={seconds}s", "--timeout=20s"]
    done = subprocess.run(
        [*wrk, f"--script={script}", f"http://127.0.0.1:{port}"],
        env={**os.environ, "ARENA_REQUESTS": str(listing)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    used = (cpu_time(clocks) - before) / 1e9
    return _cell(done.stdout, used)


def _cell(printed: str, used: float) -> Cell:
    if refused := re.search(r"Non-2xx or 3xx responses: \d+", printed):
        raise RuntimeError(refused[0])
    counted = re.search(r"(\d+) requests in ([\d.]+)(m?s|m), ([\d.]+)([KMG]?)B read", printed)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", printed)
    if counted is None or rate is None or int(counted[1]) == 0:
        raise RuntimeError(f"wrk printed no figures:\n{printed}")
    size = float(counted[4]) * 1024 ** " KMG".index(counted[5] or " ")
    return Cell(float(rate[1]), int(counted[1]) / used, size / int(counted[1]))


def measure(options: Namespace) -> dict[str, dict[str, Cell | str]]:
    """Load each server with each profile, round by round; keep the best, or what makes a cell void."""
    wanted = {name: each for name, each in profiles(options.httparena, bool(options.database)).items()
              if not options.profile or name in options.profile}  # fmt: skip
    found: dict[str, dict[str, Cell | str]] = {}
    for name, server in SERVERS.items():
        if which(server.program) is not None and (not options.server or name in options.server):
            found[name] = {title: _best(server, each, options) for title, each in wanted.items()}
            print(name, found[name], file=sys.stderr)
    return found


def _best(server: Server, profile: Profile, options: Namespace) -> Cell | str:
    try:
        with TemporaryDirectory() as name, serving(server, options, folder := Path(name)) as (port, process):
            rounds = [load(profile, port, process, options.seconds, folder) for _ in range(options.rounds)]
    except RuntimeError as error:
        return str(error)
    return max(rounds, key=lambda cell: cell.by_cpu)


def table(found: Mapping[str, Mapping[str, Cell | str]]) -> str:
    """Return the cells as Markdown: requests for a second of CPU time, and how many times those of the first server."""
    first = next(iter(found.values()))
    rows = [[name, *(_compared(cells[title], first[title]) for title in first)] for name, cells in found.items()]
    return readme.table(["", *(f"{title}:" for title in first)], rows)


def told() -> str:
    """Return which versions were measured."""
    packages = ("granian", "fastpysgi", "uvicorn", "fastapi", "flask", "gunicorn")
    versions = [f"{name} {version(name)}" for name in packages if find_spec(name)]
    commands = [command for command in (("node", "--version"), ("go", "version")) if which(command[0])]
    for command in commands:
        printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        versions.append(f"{command[0]} {printed.strip().removeprefix('go version ')}")
    return f"{interpreter.told()}; {', '.join(versions)}."


def _compared(cell: Cell | str, base: Cell | str) -> str:
    if isinstance(cell, str):
        return "fails"
    if isinstance(base, str) or cell is base:
        return f"{cell.by_cpu:,.0f}"
    return f"{cell.by_cpu:,.0f} ({cell.by_cpu / base.by_cpu:.2f})"


@on_linux
def main(arguments: Sequence[str] | None = None) -> int:
    parser = ArgumentParser(prog="python -m benchmarks.arena", description=__doc__)
    parser.add_argument("--httparena", type=Path, required=True, help="the folder of a checkout of HttpArena")
    parser.add_argument("--database", help="the URL of a PostgreSQL that has HttpArena's items; else none is asked")
    parser.add_argument("--profile", action="append", help="only this profile (repeatable)")
    parser.add_argument("--server", action="append", choices=SERVERS, help="only this server (repeatable)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each cell (3)")
    parser.add_argument("--seconds", type=int, default=5, help="seconds of a round (5)")
    parser.add_argument("--free", action="store_true", help="let the system schedule the servers as it likes")
    parser.add_argument("--write", action="store_true", help="write the table into benchmarks/README.md")
    options = parser.parse_args(arguments)
    options.httparena = options.httparena.resolve()
    options.settle = settled(free=options.free)
    found = measure(options)
    print(text := f"{told()}\n\n{table(found)}")
    if options.write:
        readme.write("benchmarks.arena", text)
    return any(isinstance(cell, str) for cells in found.values() for cell in cells.values())


if __name__ == "__main__":
    sys.exit(main())
