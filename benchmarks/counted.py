"""`valgrind --tool=callgrind ... python -m benchmarks.counted wsgi/hello/antiphon ...`: what is counted, cell by cell.

Everything is imported once. Each cell has a process of its own, which comes from that one by fork, so that no cell
depends on what was measured before it. Standard output tells which process counted which cell.
"""

import asyncio
import gc
import os
import sys

from . import callgrind
from .apps import application
from .cases import CASES
from .growth import PREFIX, built
from .harness import BATCH, AsgiServer, Server, WsgiServer
from .reference import REFERENCE, plain_python

WARM_UP = 8 * BATCH
"""Requests before the counted ones: so many that the interpreter has specialised its code."""
COUNTED = 4 * BATCH


def main() -> None:
    if not callgrind.is_running():
        sys.exit(f"run this by valgrind, on {callgrind.MACHINE}: python -m benchmarks.instructions does")
    cells = sys.argv[1:]
    for cell in cells:
        if cell != REFERENCE and not cell.startswith(PREFIX):
            interface, case, framework = cell.split("/")
            application(framework, interface, case)
    gc.collect()
    gc.freeze()
    running: set[int] = set()
    for cell in cells:
        if len(running) == len(os.sched_getaffinity(0)):
            running.remove(ended())
        if not (process := os.fork()):
            count(cell)
            os._exit(0)
        print(process, cell, flush=True)
        running.add(process)
    while running:
        running.remove(ended())


def ended() -> int:
    """Wait for a process, and give its number; all end where one has failed."""
    process, status = os.wait()
    if status:
        sys.exit(f"process {process} has failed")
    return process


def count(cell: str) -> None:
    if cell == REFERENCE:
        count_reference()
        return
    interface, name, framework = cell.split("/")
    app, case = (
        built(name, framework) if interface == PREFIX else (application(framework, interface, name), CASES[name])
    )
    loop = asyncio.new_event_loop()
    clock = callgrind.toggle
    server: Server = AsgiServer(app, loop, clock) if interface == "asgi" else WsgiServer(app, clock)
    server.verify(case)
    server.sample(case, WARM_UP)
    begin()
    server.sample(case, COUNTED)


def count_reference() -> None:
    plain_python(WARM_UP)
    begin()
    callgrind.toggle()
    plain_python(COUNTED)
    callgrind.toggle()


def begin() -> None:
    """Instrument what follows. The garbage collector begins anew, so that it runs at the same requests each time."""
    gc.collect()
    gc.freeze()
    callgrind.start()


if __name__ == "__main__":
    main()
