"""Servers as processes: started on a free port, ended as a deploy ends them, with what they wrote to stderr."""

import os
import signal
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.contract.wire import Connection, ReceivedResponse, SentRequest
from tests.helpers import zygote
from tests.helpers.ports import free_port
from tests.helpers.waiting import DEADLINE, eventually

APPLICATION = "tests.contract.application:app"

START = 60.0
"""The longest wait for the first connection, in seconds."""
ATTEMPTS = 3
"""The number of attempts to start a server: another process may take its port first."""
END = 60.0
"""The longest wait for the end of a server after SIGTERM, in seconds."""
EXIT_CODES = dict.fromkeys(
    ("uvicorn", "waitress", "tests.contract.gevent_server", "tests.contract.werkzeug_server"), -signal.SIGTERM
)
"""How servers end at SIGTERM, by the module that is run. Others exit with 0."""


class ServerProcess:
    """A server of an application, in a folder. ``{app}`` and ``{port}`` are filled into its command.

    As a context manager it starts the server, and ends it by SIGTERM as a deploy does, unless a test has ended or
    killed it. It has to exit as it should and leave no worker, and is killed if it does not.
    """

    port: int

    def __init__(self, command: Sequence[str], application: str = APPLICATION, folder: str | Path = ".") -> None:
        self.command = command
        self._application, self._folder = application, folder

    def __enter__(self) -> Self:
        self._log = tempfile.TemporaryFile()
        for _ in range(ATTEMPTS):
            self.port = free_port()
            self._start()
            if self._accepts():
                return self
            self.kill()
        said = self.stderr
        self._log.close()
        raise RuntimeError(f"{' '.join(self.command)} does not serve:\n{said}")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if kind is None and not self._is_told_to_end:
                self.end()
        finally:
            self.kill()
            self._log.close()

    @property
    def stderr(self) -> str:
        descriptor = self._log.fileno()  # the server writes at the offset of this very file, which must stay
        return os.pread(descriptor, os.fstat(descriptor).st_size, 0).decode(errors="replace")

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    @property
    def resident(self) -> int:
        """The memory of the server's processes, in bytes."""
        return sum(int(statm.split()[1]) for statm in self._told_by_system("statm")) * os.sysconf("SC_PAGE_SIZE")

    @property
    def resident_peak(self) -> int:
        """The most memory that each of the server's processes has had so far, together, in bytes."""
        return sum(
            int(status.partition("VmHWM:")[2].split()[0]) << 10
            for status in self._told_by_system("status")
            if "VmHWM:" in status  # of a process that has ended, too, but for its parent
        )

    def _told_by_system(self, name: str) -> Iterator[str]:
        """Yield a file of /proc of each of the server's processes."""
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if os.getpgid(int(folder.name)) == self._process.pid:
                    yield (folder / name).read_text()

    def connect(self, deadline: float = DEADLINE) -> Connection:
        return Connection(self.port, deadline)

    def respond(self, request: SentRequest) -> ReceivedResponse:
        with self.connect() as connection:
            connection.send(request.encoded)
            return connection.receive(request.method)

    def leave(self, request: SentRequest, after: bytes) -> None:
        """Send a request, and reset the connection when ``after`` has come in the body."""
        with self.connect() as connection:
            connection.send(request.encoded)
            connection.wait_for(after)
            connection.reset()

    def send_signal(self, number: int) -> None:
        self._process.send_signal(number)

    def terminate(self) -> int:
        """Ask the server to end, wait for it, and return its exit code."""
        self._is_told_to_end = True
        self._process.terminate()
        return self._process.wait(END)

    def end(self) -> None:
        """End the server by SIGTERM. Raises AssertionError for another exit code than its own, and for workers left."""
        code = self.terminate()
        assert code == EXIT_CODES.get(self.command[1], 0), f"{' '.join(self.command)} ended with {code}:\n{self.stderr}"
        eventually(self._is_alone, f"{' '.join(self.command)} left a worker")

    def restart(self) -> None:
        """End the server, and start it on the same port."""
        self.end()
        self.start_again()

    def start_again(self) -> None:
        """Start the server, which has ended, on the same port."""
        self._start()
        assert self._accepts(), f"{' '.join(self.command)} does not start again:\n{self.stderr}"

    def kill(self) -> None:
        """Kill the server and its workers, and wait for the end."""
        self._is_told_to_end = True
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(START)

    def _is_alone(self) -> bool | None:
        """True when none of its processes is left, else None."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, 0)
            return None
        return True

    def _start(self) -> None:
        self._is_told_to_end = False
        self._said_before = len(self.stderr)
        arguments = [part.format(app=self._application, port=self.port) for part in self.command]
        self._process = zygote.start(
            arguments, cwd=self._folder, stdout=self._log, stderr=self._log, start_new_session=True
        )

    def _accepts(self) -> bool:
        """Wait until a connection is accepted; False when the process ends before.

        Ours accepts them before its workers have imported the application, and says when it serves.
        """

        def look() -> bool | None:
            if "run" not in self.command or "Antiphon serves " in self.stderr[self._said_before :]:
                with suppress(OSError), self.connect():
                    return self.is_running
            return None if self.is_running else False

        return eventually(look, "it does not serve", START)
