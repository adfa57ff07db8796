"""`python -m benchmarks.small_files`: a static file of 10 KiB in this process, beside Falcon.

The file is served out of a folder, as pages ask for their style sheets. Antiphon also looks for links that lead out of
the folder and for compressed files, and makes an ETag. Fails where it takes more times as long as Falcon than `LIMITS`.
"""

import argparse
import asyncio
import os
import sys
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import falcon
import falcon.asgi

from antiphon import App

from .cases import PAGE, Case, WrongAnswerError
from .harness import BATCH, AsgiServer, Server, WsgiServer, compare
from .report import OURS

SIZE = 10 << 10
PATH = "/static/css/site.css"
PEER = "falcon"
LIMITS = {"wsgi": 1.0, "asgi": 0.25}
OLD = 1_700_000_000
"""A time at which files may have been written: those of this moment are looked at more closely."""


class File(Case):
    """A request for a file, whose content is random."""

    def check(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:  # type: ignore[override]  # noqa: ARG002
        """Raise WrongAnswerError unless the file has come whole."""
        if (status, len(body)) != (self.status, SIZE):
            raise WrongAnswerError(f"{self.name}: {status}, {len(body)} bytes")


def servers(interface: str, folder: Path, loop: asyncio.AbstractEventLoop) -> dict[str, Server]:
    ours = App()
    ours.static("/static", folder)
    if interface == "wsgi":
        theirs = falcon.App()
        theirs.add_static_route("/static", folder)
        return {OURS: WsgiServer(ours), PEER: WsgiServer(theirs)}
    theirs_async = falcon.asgi.App()
    theirs_async.add_static_route("/static", folder)
    return {OURS: AsgiServer(ours, loop), PEER: AsgiServer(theirs_async, loop)}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.small_files", description=__doc__)
    parser.add_argument("--rounds", type=int, help="samples for each (40; 5 if quick)")
    parser.add_argument("--quick", action="store_true", help="few and small samples, to see that all works")
    options = parser.parse_args()
    rounds, calls = options.rounds or (5 if options.quick else 40), BATCH if options.quick else 4 * BATCH
    case = File("file", "GET", PATH, PAGE, "text/css", "")
    behind = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        (folder / "css").mkdir()
        (folder / "css" / "site.css").write_bytes(os.urandom(SIZE))
        for path in ("css/site.css", "css"):
            os.utime(folder / path, (OLD, OLD))
        loop = asyncio.new_event_loop()
        stack.callback(loop.close)
        for interface in ("wsgi", "asgi"):
            served = servers(interface, folder, loop)
            times = compare(served, case, rounds, calls)
            for server in served.values():
                server.close()
            print(interface.upper(), *(f"{name} {time:.1f} us" for name, time in times.items()), sep="   ", end="")
            ratio = times[OURS] / times[PEER]
            print(f"   {ratio:.2f} times {PEER}'s", flush=True)
            if ratio > LIMITS[interface]:
                behind.append(f"{interface.upper()} takes {ratio:.2f} times as long as {PEER}, not {LIMITS[interface]}")
    for line in behind:
        print(f"TOO SLOW: {line}")
    return 1 if behind else 0


if __name__ == "__main__":
    sys.exit(main())
