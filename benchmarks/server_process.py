"""Servers as processes, of which CPU time and memory can be read. Linux only."""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial, wraps
from pathlib import Path
from time import CLOCK_MONOTONIC, clock_gettime, clock_gettime_ns, sleep
from typing import ParamSpec, TypeVar

from .load import LoadError

T = TypeVar("T")
P = ParamSpec("P")

ROOT = Path(__file__).parent.parent
START = 30.0
"""Seconds until which the server has to accept connections."""

GRANIAN = ("--workers=1", "--runtime-threads=1", "--blocking-threads=1", "--no-log")


def on_linux(main: Callable[P, int]) -> Callable[P, int]:
    """Have the command of a benchmark say that it needs Linux, and end with 2 elsewhere."""

    @wraps(main)
    def run(*arguments: P.args, **options: P.kwargs) -> int:
        if sys.platform == "linux":
            return main(*arguments, **options)
        print("this benchmark reads the CPU time and the memory of processes as only Linux gives them")
        return 2

    return run


def granian(interface: str) -> tuple[str, ...]:
    """The command for one worker of Granian."""
    return ("-m", "granian", f"--interface={interface}", "--port={port}", *GRANIAN, "{app}")


class ServerProcess:
    """Serves an application on a free port, by arguments to Python in which `{app}` and `{port}` are filled in.

    `settle` is called in the new process before it becomes the server.
    """

    def __init__(self, command: Sequence[str], app: str, settle: Callable[[], None]) -> None:
        self.port = free_port()
        self.process = subprocess.Popen(
            [sys.executable, *(part.format(app=app, port=self.port) for part in command)],
            cwd=ROOT,
            preexec_fn=settle,  # noqa: PLW1509 - there are no other threads
        )

    def when_ready(self, connect: Callable[[int], T]) -> T:
        """What connects to its port, as soon as it accepts connections."""
        deadline = clock_gettime(CLOCK_MONOTONIC) + START
        while self.process.poll() is None and clock_gettime(CLOCK_MONOTONIC) < deadline:
            try:
                return connect(self.port)
            except ConnectionRefusedError:
                sleep(0.005)
        raise LoadError("the server did not start")

    def processes(self) -> list[int]:
        """The ids of its processes."""
        return with_children(self.process.pid)

    def cpu_clocks(self) -> list[int]:
        """The clocks of the CPU time of its processes, as `clock_gettime` takes them."""
        return [cpu_clock(process) for process in self.processes()]

    def close(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def cpu_clock(process: int) -> int:
    """What clock_getcpuclockid(3) gives for a process; unlike the times in /proc, it counts nanoseconds."""
    return ~process << 3 | 2


def cpu_time(clocks: list[int]) -> int:
    """The nanoseconds of CPU time, user and system, that processes have used."""
    return sum(map(clock_gettime_ns, clocks))


def memory(process: int) -> int:
    """The bytes that a process has in memory."""
    found = re.search(r"^VmRSS:\s*(\d+) kB", Path(f"/proc/{process}/status").read_text(), re.MULTILINE)
    return int(found[1]) << 10 if found else 0


def with_children(process: int) -> list[int]:
    """A process and all that it started, by id."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [process, *(found for child in children for found in with_children(int(child)))]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def on_core(core: int) -> None:
    """Keep this process on one core, where threads wake others without interrupting themselves (SCHED_BATCH)."""
    os.sched_setaffinity(0, {core})
    os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def settled(*, free: bool) -> Callable[[], None]:
    """Move this process off the server's core, and return what puts the server there; unless it is free."""
    if free:
        return lambda: None
    first, *others = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, others or {first})
    return partial(on_core, first)
