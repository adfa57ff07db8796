"""Granian as a process: one worker, whose CPU time can be read. Linux only."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import CLOCK_MONOTONIC, clock_gettime, clock_gettime_ns, sleep

from .load import Load, LoadError

ROOT = Path(__file__).parent.parent
START = 30.0
"""Seconds until which the server has to accept connections."""

OPTIONS = ("--workers=1", "--runtime-threads=1", "--blocking-threads=1", "--no-log")


class GranianProcess:
    """Serves an application on a free port; `settle` is called in the new process before it becomes Granian."""

    def __init__(self, interface: str, target: str, settle: Callable[[], None]) -> None:
        self.port = free_port()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "granian", f"--interface={interface}", f"--port={self.port}", *OPTIONS, target],
            cwd=ROOT,
            preexec_fn=settle,  # noqa: PLW1509 - there are no other threads
        )

    def connected(self, request: bytes, body: bytes, connections: int) -> Load:
        """Connections to it, as soon as it accepts them."""
        deadline = clock_gettime(CLOCK_MONOTONIC) + START
        while self.process.poll() is None and clock_gettime(CLOCK_MONOTONIC) < deadline:
            try:
                return Load(self.port, request, body, connections)
            except ConnectionRefusedError:
                sleep(0.05)
        raise LoadError("the server did not start")

    def cpu_clocks(self) -> list[int]:
        """The clocks of the CPU time of its processes, as `clock_gettime` takes them."""
        return [cpu_clock(process) for process in with_children(self.process.pid)]

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
