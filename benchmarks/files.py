"""`python -m benchmarks.files`: a file of 1 GiB, sent by real servers, Antiphon beside a bare application.

Throughput is the bytes that a server sends with one second of CPU time of its processes, memory what they grow by
meanwhile. Fails where Antiphon's throughput is below 95 % of the bare application's though the server has a way of its
own to send files, and where memory grows by 8 MiB or more, beside what the server itself takes. Linux only.
"""

import os
import socket
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from contextlib import ExitStack, closing
from importlib.metadata import version
from pathlib import Path
from signal import SIGTERM, signal
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import NamedTuple

from .load import TIMEOUT, LoadError
from .report import FLOOR, OURS
from .server_process import ServerProcess, cpu_time, forget_peak, granian, memory, on_linux, peak_memory, settled

SHARE = 0.95
MOST_MEMORY = 8 << 20
APPS = "benchmarks.apps.files"
SMALL = 64 << 10
MIB = 1 << 20


class Pair(NamedTuple):
    """A server, its bare application and that of Antiphon; whether it has a way of its own to send files."""

    server: str
    command: tuple[str, ...]
    bare: str
    ours: str
    sends_files: bool


GUNICORN = ("-m", "gunicorn", "{app}", "--bind=127.0.0.1:{port}", "--log-level=error")
WAITRESS = ("-m", "waitress", "--listen=127.0.0.1:{port}", "--threads=1", "{app}")
UVICORN = ("-m", "uvicorn", "{app}", "--port={port}", "--log-level=error")

PAIRS = (
    Pair("granian-rsgi", granian("rsgi"), "bare_rsgi", "antiphon_async", sends_files=True),
    Pair("granian-asgi", granian("asgi"), "bare_asgi", "antiphon_async", sends_files=True),
    Pair("gunicorn", GUNICORN, "bare_wsgi", "antiphon_def", sends_files=True),
    Pair("waitress", WAITRESS, "bare_wsgi", "antiphon_def", sends_files=True),
    Pair("granian-wsgi", granian("wsgi"), "bare_wsgi", "antiphon_def", sends_files=False),
    Pair("uvicorn", UVICORN, "bare_asgi", "antiphon_async", sends_files=False),
)


class Sample(NamedTuple):
    """MiB that were sent for one second of CPU time, and in one second that passed; the memory it took, in bytes."""

    by_cpu: float
    by_time: float
    memory: int


class Served:
    """An application in a server of its own, which has sent a small file already."""

    def __init__(self, server: ServerProcess) -> None:
        self.port = server.when_ready(lambda port: download(port, "small.bin", SMALL) and port)
        self.processes = server.processes()
        self.clocks = server.cpu_clocks()

    def sample(self, length: int) -> Sample:
        """Have the large file sent."""
        before = sum(map(memory, self.processes))
        for process in self.processes:
            forget_peak(process)
        used, start = cpu_time(self.clocks), perf_counter()
        download(self.port, "large.bin", length)
        elapsed, used = perf_counter() - start, cpu_time(self.clocks) - used
        grown = sum(map(peak_memory, self.processes)) - before
        return Sample(length / MIB / used * 1e9, length / MIB / elapsed, grown)


def download(port: int, name: str, length: int) -> int:
    """Fetch a file on a connection of its own, and return its length. Raises LoadError unless it comes whole."""
    with socket.create_connection(("127.0.0.1", port), TIMEOUT) as connection:
        connection.sendall(f"GET /{name} HTTP/1.1\r\nhost: example.com\r\nconnection: close\r\n\r\n".encode())
        buffer = bytearray(MIB)
        head = b""
        while b"\r\n\r\n" not in head:
            if not (chunk := connection.recv(1 << 16)):
                raise LoadError(f"{name}: the answer ended with {head[-500:]!r}")
            head += chunk
        head, _, body = head.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200 "):
            raise LoadError(f"{name}: {head!r}")
        received = len(body)
        while received < length and (count := connection.recv_into(buffer)):
            received += count
    if received != length:
        raise LoadError(f"{name}: {received} bytes of {length}")
    return received


class Result(NamedTuple):
    """The samples of both applications, taken by turns."""

    bare: list[Sample]
    ours: list[Sample]

    def share(self) -> float:
        """Antiphon's throughput as a part of the bare application's."""
        return median(ours.by_cpu / bare.by_cpu for bare, ours in zip(self.bare, self.ours, strict=True))


def compare(pair: Pair, options: Namespace, settle: Callable[[], None]) -> Result:
    """Serve both applications at the same time, and fetch from them by turns, so that noise hits both alike."""
    with ExitStack() as stack:
        bare, ours = (
            Served(stack.enter_context(closing(ServerProcess(pair.command, f"{APPS}:{app}", settle))))
            for app in (pair.bare, pair.ours)
        )
        length = options.size * MIB
        rounds = [(bare.sample(length), ours.sample(length)) for _ in range(options.rounds)]
    return Result(*map(list, zip(*rounds, strict=True)))


def line(pair: Pair, result: Result) -> str:
    """A row of the table."""
    rates = (
        f"{median(sample.by_cpu for sample in samples):.0f} ({median(sample.by_time for sample in samples):.0f})"
        for samples in result
    )
    grown = (f"{max(sample.memory for sample in samples) / MIB:.1f}" for samples in result)
    return "".join(
        [
            f"{pair.server:14}",
            *(f"{rate:>16}" for rate in rates),
            f"{f'{result.share():.1%}':>9}",
            f"{' and '.join(grown):>16}",
            "" if pair.sends_files else "  not judged by its share",
        ]
    )


def failures(pair: Pair, result: Result) -> list[str]:
    found = []
    if pair.sends_files and result.share() < SHARE:
        found.append(f"TOO SLOW: {pair.server} has {result.share():.1%} of the bare application's, not {SHARE:.0%}")
    bare, grown = (max(sample.memory for sample in samples) for samples in result)
    if grown >= (MOST_MEMORY if bare < MOST_MEMORY else bare + MOST_MEMORY):
        found.append(f"TOO LARGE: {pair.server} grew by {grown / MIB:.1f} MiB")
    return found


@on_linux
def main() -> int:
    options = parse_options()
    signal(SIGTERM, lambda *_: sys.exit("terminated"))  # so that the servers are stopped
    settle = settled(free=options.free)
    versions = ", ".join(f"{name} {version(name)}" for name in ("granian", "gunicorn", "waitress", "uvicorn"))
    print(f"{sys.implementation.name} {sys.version.split()[0]}; {versions}; a file of {options.size} MiB")
    print("MiB for a second of CPU time (for one that passed), and by how many MiB memory grew\n")
    print(f"{'':14}{FLOOR:>16}{OURS:>16}{'share':>9}{'memory':>16}", flush=True)
    found = []
    with TemporaryDirectory() as folder:
        make_files(Path(folder), options.size * MIB)
        for pair in (pair for pair in PAIRS if pair.server in options.server):
            try:
                result = compare(pair, options, settle)
            except (LoadError, OSError) as error:
                found.append(f"VOID: {pair.server}: {error}")
                continue
            print(line(pair, result), flush=True)
            found += failures(pair, result)
    for text in found:
        print(text)
    return 1 if found else 0


def make_files(folder: Path, length: int) -> None:
    """A file to begin with, and a large one of zeros that are not on the disk."""
    os.environ["BENCHMARK_FILES"] = str(folder)
    (folder / "small.bin").write_bytes(bytes(SMALL))
    with (folder / "large.bin").open("wb") as large:
        large.truncate(length)


def parse_options() -> Namespace:
    parser = ArgumentParser(prog="python -m benchmarks.files", description=__doc__)
    servers = [pair.server for pair in PAIRS]
    parser.add_argument("--server", action="append", choices=servers, help="measure only this server (repeatable)")
    parser.add_argument("--rounds", type=int, default=11, help="downloads for each application (11)")
    parser.add_argument("--size", type=int, default=1024, help="of the file, in MiB (1024)")
    parser.add_argument("--free", action="store_true", help="let the system schedule the server as it likes")
    options = parser.parse_args()
    options.server = options.server or servers
    return options


if __name__ == "__main__":
    sys.exit(main())
