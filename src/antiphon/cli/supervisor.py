"""The supervisor of `antiphon run`: starts workers, tells when they serve, ends them whatever they do."""

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
"""The environment variable that makes a process a worker: the numbers of the file descriptors it inherits."""

_NOT_HTTP = b"\0\r\n\r\n"
"""What an HTTP server answers by itself, with a 400, without asking the application."""

_GRACE = 0.2
"""Seconds. Ctrl-C reaches every process of a terminal: a worker may end before the supervisor has heard."""

_SHUTDOWN = 1.0
"""Seconds. After those to drain, a worker cuts off open streams, and shuts the application down."""

_ECHO = 0.5
"""Seconds. `timeout`, `npm` and others pass Ctrl-C on to a process that has had it from the terminal too."""


async def supervise(listener: socket.socket, workers: int, drain: float, announce: Callable[[Choice], None]) -> int:
    """Run workers until SIGINT, SIGTERM or SIGHUP; then requests get `drain` seconds, cut by a second signal.

    Calls `announce` once, when every worker has loaded the application and connections are answered. Closes
    `listener`. Returns the exit code: 0, or 128 and the number of the second signal. When one worker ends by
    itself the others are ended too: raises `WorkerEnded`, or `BadCommand` if it can't load the application.
    """
    loop = asyncio.get_running_loop()
    loaded: list[asyncio.Future[Choice]] = [loop.create_future() for _ in range(workers)]
    tasks = [loop.create_task(_live(listener, drain, choice)) for choice in loaded]
    tasks.append(loop.create_task(_announce(listener, loaded, announce)))

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
    """Calls `end` at the first signal that ends the server, and at the next that is no echo of it."""

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
    listener: socket.socket, loaded: list[asyncio.Future[Choice]], announce: Callable[[Choice], None]
) -> None:
    choices = await asyncio.gather(*loaded)
    reader, writer = await _connect(listener)
    writer.write(_NOT_HTTP)
    with suppress(ConnectionError):
        if await reader.read(1):
            announce(choices[0])
    writer.close()


async def _connect(listener: socket.socket) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if listener.family != socket.AF_UNIX:
        host, port = listener.getsockname()[:2]
        return await asyncio.open_connection(host, port)
    path = listener.getsockname()
    try:
        return await asyncio.open_unix_connection(path)
    except OSError as error:  # removed meanwhile, or of permissions that shut out its own server
        raise Refused(f"Nobody can connect to {path}: {error.strerror}.") from None


async def _live(listener: socket.socket, drain: float, loaded: asyncio.Future[Choice]) -> None:
    """One worker from start to end: cancelled when all goes well, otherwise an error."""
    control, remote = socket.socketpair()
    with control:
        with remote:
            process = await _start(listener, remote)
        try:
            loaded.set_result(await _choice(control, process))
            await process.wait()
            await asyncio.sleep(_GRACE)
            raise WorkerEnded(f"A worker {_end_of(process)}, so the server ends.")
        finally:
            control.close()  # which tells the worker to end
            await _exit(process, drain)


async def _start(listener: socket.socket, remote: socket.socket) -> Process:
    """Start the command that this process runs once more, as a worker."""
    inherited = (listener.fileno(), remote.fileno())
    environment = {**os.environ, INHERITED: ",".join(map(str, inherited))}
    # Blocked until the worker ignores it: Ctrl-C could hit it while Python starts, and leave a traceback.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        return await asyncio.create_subprocess_exec(
            sys.executable, *sys.orig_argv[1:], pass_fds=inherited, env=environment
        )
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


async def _choice(control: socket.socket, process: Process) -> Choice:
    """The interface that the worker chose. Raises the `BadCommand` that it reports, or `WorkerEnded`."""
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


async def _exit(process: Process, drain: float) -> None:
    """Wait for the exit of the process. Kills it when its time is over, or at once when this is cancelled."""
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(drain + _SHUTDOWN):
                await process.wait()
    finally:
        if process.returncode is None:
            # Process.kill() first collects a process that is dead, which its watcher then misses, and logs.
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
            await process.wait()
