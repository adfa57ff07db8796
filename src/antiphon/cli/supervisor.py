"""The supervisor of `antiphon run`: it starts workers, announces when they serve, and ends them in any case."""

import asyncio
import json
import os
import signal
import socket
import sys
from asyncio.subprocess import Process
from collections.abc import Callable
from contextlib import suppress

from antiphon.cli.errors import BadCommand, Refused, WorkerEnded
from antiphon.cli.interface import Choice

INHERITED = "ANTIPHON_WORKER"
"""The environment variable that makes a process a worker: the file descriptors that it inherits, by number."""

_NOT_HTTP = b"\0\r\n\r\n"
"""A request that an HTTP server answers by itself, with a 400, without calling the application."""

_GRACE = 0.2
"""Seconds. Ctrl-C reaches every process of a terminal, and a worker may end before the supervisor knows."""

_SHUTDOWN = 1.0
"""Seconds after the drain, in which a worker cuts off open streams, and shuts the application down."""

_ECHO = 0.5
"""Seconds. `timeout`, `npm` and others pass Ctrl-C on to a process that gets it from the terminal, too."""


async def supervise(listener: socket.socket, workers: int, drain: float, announce: Callable[[Choice], None]) -> int:
    """Run workers until SIGINT, SIGTERM or SIGHUP. Open requests then get `drain` seconds, or until a second signal.

    Calls `announce` once, when every worker has loaded the application and connections are answered. Closes
    `listener`. Returns the exit code: 0, or 128 plus the number of the second signal. When one worker ends by itself,
    ends the others, too, and raises `WorkerEnded`; `BadCommand` if a worker can't load the application.
    """
    loop = asyncio.get_running_loop()
    choices: list[asyncio.Future[Choice]] = [loop.create_future() for _ in range(workers)]
    tasks = [loop.create_task(_run_worker(listener, drain, choice)) for choice in choices]
    tasks.append(loop.create_task(_announce(listener, choices, announce)))

    def end() -> None:
        listener.close()
        for task in tasks:
            task.cancel()

    signals = _Signals(end)
    await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    if signals.first is None:
        end()
    await asyncio.wait(tasks)
    for task in tasks:
        if not task.cancelled():
            task.result()
    return signals.exit_code


class _Signals:
    """Handlers of the signals that end the server. They call `end` at the first one, and at the next unless an echo."""

    def __init__(self, end: Callable[[], None]) -> None:
        self.first: float | None = None
        self.exit_code = 0
        self._end = end
        self._loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # as nohup leaves it
                self._loop.add_signal_handler(number, self._on_signal, number)

    def _on_signal(self, number: int) -> None:
        now = self._loop.time()
        if self.first is None:
            self.first = now
        elif now - self.first > _ECHO:
            self.exit_code = 128 + number
        else:
            return
        self._end()


async def _announce(
    listener: socket.socket, choices: list[asyncio.Future[Choice]], announce: Callable[[Choice], None]
) -> None:
    """Wait until every worker has chosen its interface, and one of them answers. Then announce the choice."""
    choice, *_ = await asyncio.gather(*choices)
    reader, writer = await _connect(listener)
    writer.write(_NOT_HTTP)
    with suppress(ConnectionError):
        if await reader.read(1):
            announce(choice)
    writer.close()


async def _connect(listener: socket.socket) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if listener.family != socket.AF_UNIX:
        host, port = listener.getsockname()[:2]
        return await asyncio.open_connection(host, port)
    path = listener.getsockname()
    try:
        return await asyncio.open_unix_connection(path)
    except OSError as error:  # it was removed meanwhile, or its permissions shut out the server itself
        raise Refused(f"Nobody can connect to {path}: {error.strerror}.") from None


async def _run_worker(listener: socket.socket, drain: float, choice: asyncio.Future[Choice]) -> None:
    """Run one worker until this task is cancelled. Raises an error if the worker ends before."""
    control, remote = socket.socketpair()
    with control:
        with remote:
            process = await _start(listener, remote)
        try:
            choice.set_result(await _receive_choice(control, process))
            await process.wait()
            await asyncio.sleep(_GRACE)
            raise WorkerEnded(f"A worker {_end_of(process)}, so the server ends.")
        finally:
            control.close()  # which tells the worker to end
            await _wait_for_exit(process, drain)


async def _start(listener: socket.socket, remote: socket.socket) -> Process:
    """Start the command of this process once more, as a worker."""
    inherited = (listener.fileno(), remote.fileno())
    environment = {**os.environ, INHERITED: ",".join(map(str, inherited))}
    # Blocked until the worker has its handler: Ctrl-C while Python starts would leave a traceback.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        return await asyncio.create_subprocess_exec(
            sys.executable, *sys.orig_argv[1:], pass_fds=inherited, env=environment
        )
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


async def _receive_choice(control: socket.socket, process: Process) -> Choice:
    """Receive the interface that the worker chose. Raises the `BadCommand` that it reports, or `WorkerEnded`."""
    control.setblocking(False)
    loop = asyncio.get_running_loop()
    received = b""
    while not received.endswith(b"\n"):
        chunk = await loop.sock_recv(control, 65536)
        if not chunk:
            await process.wait()
            raise WorkerEnded(f"A worker {_end_of(process)} while it loaded the application.")
        received += chunk
    report = json.loads(received)
    if "error" in report:
        raise BadCommand(report["error"])
    return Choice(**report)


def _end_of(process: Process) -> str:
    code = process.returncode or 0
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"


async def _wait_for_exit(process: Process, drain: float) -> None:
    """Wait for the exit of a worker. Kill it when its time is over, or at once when this task is cancelled."""
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(drain + _SHUTDOWN):
                await process.wait()
    finally:
        if process.returncode is None:
            # Process.kill() reaps a process that is dead already, which its watcher then misses, and logs.
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
            await process.wait()
