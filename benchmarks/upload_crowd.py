"""`python -m benchmarks.upload_crowd`: 200 uploads of 10 MiB at once, to one worker of Granian over ASGI.

Each has bytes of its own, and is answered with their hash. Together they bring 100 MiB a second, as much as a line of
a gigabit does, and in no case more than the worker takes. Meanwhile another client asks for a page, over and over.
Fails where a hash is wrong, where memory grows by more than 3 MiB an upload, and where the median time of the page is
more than twice what it is without uploads; unless they come as fast as they can, when whatever serves them is busy all
the time. Linux only.
"""

import asyncio
import socket
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event
from statistics import median
from time import perf_counter, sleep
from typing import NamedTuple

from .forms import CLOSE, CONTENT_TYPE, file_head
from .load import TIMEOUT, LoadError
from .server_process import ServerProcess, forget_peak, granian, memory, on_linux, peak_memory, settled
from .upload_body import CHUNK, CONTENTS

MIB = 1 << 20
APP = "benchmarks.upload_apps.antiphon_app:asgi"
HEAD = file_head("file", "film.mp4", "video/mp4")

SLOWER = 2.0
MOST_MEMORY = 3 * MIB
"""By how much memory may grow for each upload."""
IDLE = 2.0
"""Seconds in which the page is asked for before the uploads."""


class Crowd(NamedTuple):
    """Seconds of all uploads together; the median seconds of the page before and meanwhile; bytes of memory."""

    time: float
    idle: float
    busy: float
    pages: int
    memory: int


class FileRoutes:
    """Another process, which asks for a page, and notes when it did and how long that took."""

    def __init__(self, port: int) -> None:
        context = get_context("fork")
        self.times, sender = context.Pipe(duplex=False)
        self.stop = context.Event()
        self.process = context.Process(target=ask_for_pages, args=(port, self.stop, sender))
        self.process.start()
        sender.close()  # or nobody would see that the process has failed

    def ended(self) -> list[tuple[float, float]]:
        """Stop, and tell: (start, seconds) of each page."""
        self.stop.set()
        found: list[tuple[float, float]] = self.times.recv()
        self.process.join()
        return found


def ask_for_pages(port: int, stop: Event, sender: Connection) -> None:
    times = []
    with socket.create_connection(("127.0.0.1", port), TIMEOUT) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while not stop.is_set():
            start = perf_counter()
            connection.sendall(b"GET /hello HTTP/1.1\r\nhost: example.com\r\n\r\n")
            answer = b""
            while not answer.endswith(b"Hello, world!"):
                if not (received := connection.recv(1 << 16)):
                    raise LoadError("the server has closed the connection by which a page is asked for")
                answer += received
            times.append((start, perf_counter() - start))
            sleep(0.005)
    sender.send(times)


class Film:
    """A file unlike the others: its blocks, each 64 KiB, are turned by as many bytes as its number says."""

    def __init__(self, block: bytes, number: int, size: int) -> None:
        self.block = block[number:] + block[:number]
        self.count = size * MIB // CHUNK
        digest = sha256()
        for _ in range(self.count):
            digest.update(self.block)
        self.digest = digest.hexdigest()

    def message(self) -> Iterator[bytes]:
        length = len(HEAD) + self.count * CHUNK + len(CLOSE)
        lines = ("POST /hash HTTP/1.1", "host: example.com", f"content-type: {CONTENT_TYPE}", "connection: close")
        yield "\r\n".join([*lines, f"content-length: {length}", "", ""]).encode() + HEAD
        for _ in range(self.count):
            yield self.block
        yield CLOSE


async def upload(port: int, film: Film, rate: float) -> None:
    """Send a film, ``rate`` chunks a second. Raises LoadError unless the answer is its hash."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    start = perf_counter()
    for number, chunk in enumerate(film.message()):
        writer.write(chunk)
        await writer.drain()
        if rate and (early := start + number / rate - perf_counter()) > 0:
            await asyncio.sleep(early)
    answer = await reader.read()
    writer.close()
    if not answer.endswith(film.digest.encode()):
        raise LoadError(f"the hash is {film.digest}, and was answered by {answer[-500:]!r}")


async def upload_all(port: int, films: list[Film], rate: float) -> None:
    await asyncio.gather(*[upload(port, film, rate) for film in films])


def measure(server: ServerProcess, options: Namespace) -> Crowd:
    port = server.when_ready(lambda port: socket.create_connection(("127.0.0.1", port)).close() or port)
    films = [Film(CONTENTS["random"], number, options.size) for number in range(options.uploads)]
    asyncio.run(upload_all(port, films[:1], 0))
    processes = server.processes()
    before = sum(map(memory, processes))
    for process in processes:
        forget_peak(process)
    pages = FileRoutes(port)
    sleep(IDLE)
    start = perf_counter()
    try:
        asyncio.run(upload_all(port, films, options.rate * MIB / CHUNK / options.uploads))
    finally:
        end = perf_counter()
        asked = pages.ended()
    idle = [seconds for begun, seconds in asked if begun + seconds < start]
    busy = [seconds for begun, seconds in asked if start < begun < end]
    grown = sum(map(peak_memory, processes)) - before
    return Crowd(end - start, median(idle), median(busy or [end - start]), len(busy), grown)


def failures(crowd: Crowd, options: Namespace) -> Iterator[str]:
    if options.rate and crowd.busy > SLOWER * crowd.idle:
        yield f"TOO SLOW: a page takes {crowd.busy / crowd.idle:.1f} times as long while others upload, not {SLOWER}"
    if crowd.memory > MOST_MEMORY * options.uploads:
        yield f"TOO LARGE: memory grew by {crowd.memory / options.uploads / MIB:.1f} MiB an upload"


@on_linux
def main() -> int:
    options = parse_options()
    settle = settled(free=options.free)
    with closing(ServerProcess(granian("asgi"), options.app, settle)) as server:
        crowd = measure(server, options)
    rate = options.uploads * options.size / crowd.time
    print(f"{options.uploads} uploads of {options.size} MiB in {crowd.time:.1f} s, {rate:.0f} MiB a second")
    print(f"memory grew by {crowd.memory / MIB:.0f} MiB")
    print(f"a page in {crowd.idle * 1e3:.2f} ms, and meanwhile in {crowd.busy * 1e3:.2f} ms (of {crowd.pages}, median)")
    found = list(failures(crowd, options))
    for text in found:
        print(text)
    return 1 if found else 0


def parse_options() -> Namespace:
    parser = ArgumentParser(prog="python -m benchmarks.upload_crowd", description=__doc__)
    parser.add_argument("--uploads", type=int, default=200, help="at once (200)")
    parser.add_argument("--size", type=int, default=10, help="of each, in MiB (10)")
    parser.add_argument("--rate", type=float, default=100, help="MiB a second of all (100); 0 for no bound")
    parser.add_argument("--app", default=APP, help=f"what is served ({APP})")
    parser.add_argument("--free", action="store_true", help="let the system schedule the server as it likes")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
