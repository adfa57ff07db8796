"""`python -m benchmarks.arena`: HttpArena's profiles on this machine, with our entry, others' entries, Node and Go.

Needs a checkout of HttpArena whose `data` is at /data, wrk, taskset and what the entries import; a server whose command
is missing is left out. Each server has one process on one core, and wrk has another. The best of the rounds counts, as
requests for each second of the server's CPU time. Fails only for a wrong response. Linux only.
"""

import os
import re
import subprocess
import sys
from argparse import ArgumentParser, Namespace
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from . import interpreter, readme
from .load import LoadError
from .overload import Server, processor_seconds, served
from .server_process import on_linux

APPS = Path(__file__).with_name("arena_apps")
RUN = "exec {pinned} {python} -m antiphon run app:app --port={port} --no-access-log"
GRANIAN = "exec {pinned} {python} -m granian --interface=asgi --port={port} --no-log app:app"
FASTPYSGI = """exec {pinned} {python} -c "import app, fastpysgi
fastpysgi.server.max_content_length = 31_000_000
fastpysgi.run(app.app, host=\\"127.0.0.1\\", port={port}, workers=1)" """
UVICORN = "exec {pinned} {python} -m uvicorn app:app --port={port} --loop=uvloop --log-level=critical"
GUNICORN = "exec {pinned} {python} -m gunicorn app:app --bind=127.0.0.1:{port} --log-level=critical"
NODE = "PORT={port} exec {pinned} node node.mjs"
GO = "go build -o {build} main.go && PORT={port} exec {pinned} {build}"
COMMANDS = {
    "antiphon run": ("", Server(RUN)),
    "antiphon run, RSGI": ("", Server(f"{RUN} --interface=rsgi")),
    "bare Granian": ("uvicorn", Server(GRANIAN, "orjson")),
    "bare FastPySGI": ("fastpysgi-asgi", Server(FASTPYSGI, "fastpysgi")),
    "bare Uvicorn": ("uvicorn", Server(UVICORN, "orjson")),
    "FastAPI on Uvicorn": ("fastapi", Server(UVICORN, "fastapi")),
    "Flask on Gunicorn": ("flask", Server(GUNICORN, "flask")),
    "Node, `http`": ("", Server(NODE, program="node", lacks=("async-db",))),
    "Go, `net/http`": ("", Server(GO, program="go", lacks=("async-db",))),
}
"""Of each server: one of HttpArena's entries, or ours if none is named, and its command in that folder."""
OURS = next(iter(COMMANDS))
PACKAGES = ("granian", "fastpysgi", "uvicorn", "fastapi", "flask", "gunicorn", "orjson")
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
SIZES = (500 << 10, 2 << 20, 10 << 20, 20 << 20)


class Profile(NamedTuple):
    """Raw requests, which wrk sends in turn on so many connections."""

    requests: tuple[bytes, ...]
    connections: int = 64


def profiles(checkout: Path, database: bool) -> dict[str, Profile]:
    """Return HttpArena's profiles over HTTP/1.1, with fewer connections: it has 64 cores."""
    folder = checkout / "requests"

    def raw(*names: str) -> tuple[bytes, ...]:
        return tuple((folder / f"{name}.raw").read_bytes() for name in names)

    baseline = raw("get", "post_cl", "post_chunked")
    last = baseline[0].replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
    paths = re.findall(r'"(/static/[^"]+)"', (folder / "static-rotate.lua").read_text())
    accepted = "Accept-Encoding: br;q=1, gzip;q=0.8"
    found = {
        "baseline": Profile(baseline),
        "json": Profile(raw(*(f"json-{count}" for count in (1, 5, 10, 15, 25, 40, 50)))),
        "json-comp": Profile(raw("json-gzip-25", "json-gzip-40", "json-gzip-50")),
        "upload": Profile(tuple(_request("POST", "/upload", bytes(size)) for size in SIZES), 8),
        "static": Profile(tuple(_request("GET", path, b"", accepted) for path in paths)),
    }
    if database:
        found["async-db"] = Profile(raw(*(f"async-db-{limit}" for limit in (5, 10, 20, 35, 50))))
    found["limited-conn"] = Profile((*(baseline * 3), last))  # the last one: not every server survives it
    return found


def _request(method: str, path: str, body: bytes, *lines: str) -> bytes:
    length = (f"Content-Length: {len(body)}",) if body else ()
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: localhost", *lines, *length, "", ""]).encode() + body


def servers(checkout: Path) -> dict[str, str]:
    """Return the commands of the servers that can be started here, each on the first core."""
    found = {}
    for name, (entry, server) in COMMANDS.items():
        if server.is_installed:
            folder = checkout / "frameworks" / entry if entry else APPS
            found[name] = f"sh -c 'cd {folder} && {server.command.replace('{pinned}', 'taskset -c 0')}'"
    return found


def load(profile: Profile, port: int, process: int, seconds: int) -> float | str:
    """Send a profile's requests for so many seconds; return those for each second of CPU time, or what went wrong."""
    with TemporaryDirectory() as name:
        paths = [Path(name, f"{index}.raw") for index in range(len(profile.requests))]
        for path, request in zip(paths, profile.requests, strict=True):
            path.write_bytes(request)
        listing, script = Path(name, "requests"), Path(name, "rotation.lua")
        listing.write_text("".join(f"{path}\n" for path in paths))
        script.write_text(ROTATION)
        before = processor_seconds(process)
        wrk = ["taskset", "-c", "1", "wrk", "--threads=1", f"--connections={profile.connections}"]
        done = subprocess.run(
            [*wrk, f"--duration={seconds}s", "--timeout=20s", f"--script={script}", f"http://127.0.0.1:{port}"],
            env={**os.environ, "ARENA_REQUESTS": str(listing)}, capture_output=True, text=True, check=False,
        )  # fmt: skip
    return counted(done.stdout, processor_seconds(process) - before)


def counted(printed: str, used: float) -> float | str:
    """Read what wrk prints: the requests for each second of CPU time, or what went wrong."""
    if refused := re.search(r"Non-2xx or 3xx responses: \d+", printed):
        return refused[0]
    found = re.search(r"(\d+) requests in ", printed)
    return int(found[1]) / used if found and int(found[1]) else "no response"


def verify(port: int) -> None:
    """Raise an error unless a server adds."""
    with closing(HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        connection.request("GET", "/baseline11?a=13&b=42")
        if (body := connection.getresponse().read()) != b"55":
            raise LoadError(f"/baseline11 must be 55, not {body[:80]!r}")


def measure(options: Namespace) -> dict[str, dict[str, float | str]]:
    """Load each server with each profile, round by round; keep the best, or what went wrong."""
    wanted = profiles(options.httparena, "DATABASE_URL" in os.environ)
    best: dict[str, dict[str, float | str]] = defaultdict(dict)
    for _ in range(options.rounds):
        for name, command in servers(options.httparena).items():
            with served(command, 0) as (port, process):
                verify(port)
                for title in [each for each in options.profile or wanted if each not in COMMANDS[name][1].lacks]:
                    cells = load(wanted[title], port, process, options.seconds), best[name].get(title, 0.0)
                    best[name][title] = max(cells, key=lambda cell: (isinstance(cell, str), cell))
            print(name, best[name], file=sys.stderr)
    return best


def table(found: Mapping[str, Mapping[str, float | str]]) -> str:
    """Return the cells as Markdown: requests for a second of CPU time, and how many times those of the first server."""
    first = found[OURS]
    rows = [
        [name, *(_compared(cells.get(title, ""), first[title]) for title in first)] for name, cells in found.items()
    ]
    return readme.table(["", *(f"{title}:" for title in first)], rows)


def _compared(cell: float | str, base: float | str) -> str:
    if isinstance(cell, str):
        return cell and "fails"
    return f"{cell:,.0f}" if isinstance(base, str) or cell is base else f"{cell:,.0f} ({cell / base:.2f})"


@on_linux
def main(arguments: Sequence[str] | None = None) -> int:
    parser = ArgumentParser(prog="python -m benchmarks.arena", description=__doc__)
    parser.add_argument("--httparena", type=Path, required=True, help="the folder of a checkout of HttpArena")
    parser.add_argument("--profile", action="append", help="only this profile (repeatable)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each cell (3)")
    parser.add_argument("--seconds", type=int, default=2, help="seconds of a round (2)")
    parser.add_argument("--write", action="store_true", help="write the table into benchmarks/README.md")
    options = parser.parse_args(arguments)
    options.httparena = options.httparena.resolve()
    found = measure(options)
    print(text := f"{interpreter.told()}; {interpreter.versions(*PACKAGES)}.\n\n{table(found)}")
    if options.write:
        readme.write("arena", text)
    return any(isinstance(cell, str) for cells in found.values() for cell in cells.values())


if __name__ == "__main__":
    sys.exit(main())
