"""A terminal: a program runs on it, what it prints is watched, and Ctrl-C is pressed. Linux only."""

import os
import pty
import re
import signal
import subprocess
import termios
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from time import monotonic, sleep

ROWS, COLUMNS = 40, 120
PAUSE = 0.005
"""Seconds between two looks."""
CTRL_C = b"\x03"
SHELL = """trap : INT; ended=$1; shift; "$@"; echo $? >"$ended"; while :; do sleep 60; done"""
"""A shell that survives Ctrl-C and the program, as a user's does: else the kernel would end what a program leaves."""
_question = re.compile(rb"\x1b\](1[01]);\?(?:\x07|\x1b\\)")
"""A question for the color of the text, or of what is behind it. Programs wait seconds for the answer."""
_control = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-Z\\-_=>]|[\x00-\x08\x0b-\x1f]")


class Terminal:
    """A program in the foreground of a pseudo-terminal."""

    def __init__(self, command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
        self._notes = TemporaryDirectory()
        self._note = Path(self._notes.name, "exit-code")
        self._end, follower = pty.openpty()
        termios.tcsetwinsize(follower, (ROWS, COLUMNS))
        self.started = monotonic()
        self._shell = subprocess.Popen(
            ["/bin/sh", "-c", SHELL, "sh", str(self._note), *command],
            cwd=folder,
            env=environment,
            preexec_fn=partial(_log_in, follower),  # noqa: PLW1509 - the threads here hold no locks
        )
        os.close(follower)
        self._printed = bytearray()
        self._last = self.started
        Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        with suppress(OSError):  # EIO: nobody has the terminal open any more
            while chunk := os.read(self._end, 65536):
                self._printed += chunk
                self._last = monotonic()
                for found in _question.finditer(chunk):
                    os.write(self._end, b"\x1b]%s;rgb:0000/0000/0000\x1b\\" % found[1])

    @property
    def exit_code(self) -> int | None:
        """The exit code of the program; None while it runs."""
        with suppress(OSError):
            text = self._note.read_text()
            return int(text) if text else None
        return None

    def mark(self) -> int:
        """Return a place in what was printed, for `lines`."""
        return len(self._printed)

    def text(self, mark: int = 0) -> str:
        """Return what was printed after a mark, without colors."""
        return plain(bytes(self._printed[mark:]))

    def lines(self, mark: int = 0) -> list[str]:
        """Return the lines that were printed after a mark, but empty ones."""
        return [line for line in self.text(mark).splitlines() if line.strip()]

    def wait_quiet(self, quiet: float, within: float) -> None:
        """Wait until nothing was printed for `quiet` seconds."""
        begun = monotonic()
        wait(lambda: monotonic() - max(self._last, begun) > quiet, within)

    def press(self, key: bytes) -> float:
        """Press a key. Returns the moment."""
        moment = monotonic()
        os.write(self._end, key)
        return moment

    def left_behind(self) -> int:
        """Return how many processes of the program run."""
        return sum(name not in ("sh", "sleep") for name in _session(self._shell.pid).values())

    def close(self) -> None:
        """Kill all that runs on this terminal."""
        for process in _session(self._shell.pid):
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        self._shell.wait()
        os.close(self._end)
        self._notes.cleanup()


def _log_in(follower: int) -> None:
    """Make a terminal that of this process, which takes Ctrl-C even if this benchmark runs in the background."""
    os.login_tty(follower)
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def plain(printed: bytes) -> str:
    """Return text that was printed without colors and other controls."""
    return _control.sub("", printed.decode(errors="replace").replace("\r\n", "\n"))


def traceback_lines(lines: list[str]) -> int:
    """Count the lines of tracebacks: plain ones up to the exception, those that rich draws by their frames."""
    count, is_within = 0, False
    for line in lines:
        is_within = is_within or line.startswith("Traceback ")
        count += is_within or line.startswith(("╭", "│", "╰"))
        is_within = is_within and line.startswith((" ", "Traceback "))
    return count


def wait(look: Callable[[], object], within: float) -> bool:
    """Look until there is something, for at most `within` seconds. False if there is nothing."""
    deadline = monotonic() + within
    while not look():
        if monotonic() > deadline:
            return False
        sleep(PAUSE)
    return True


def _session(leader: int) -> dict[int, str]:
    """Return the processes of a session that run, and their names."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                name, _, rest = (entry / "stat").read_text().partition("(")[2].rpartition(")")
                fields = rest.split()
                if int(fields[3]) == leader and fields[0] != "Z":
                    found[int(entry.name)] = name
    return found
