"""The acts of the first hour: a server starts, an app is changed, broken and mended, and the server ends."""

import re
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import TypeAlias

from .client import Awaited, Streams, await_page, get
from .servers import APPS, ENVIRONMENT, Server
from .terminal import CTRL_C, Terminal, traceback_lines, wait

PATIENCE = 10.0
"""Seconds after which an act has failed."""
START = 60.0
"""Seconds for a server to start."""
QUIET = 1.0
"""Seconds without output, after which a server is taken to have nothing more to say."""
MISTAKE = "prices = [1, 2, 3"
STREAMS = 100

Results: TypeAlias = dict[str, float | str | None]
"""What was seen, by its name: a number (None: not within PATIENCE), or words."""


class Shop:
    """An app in a folder, which is saved again and again, and a terminal with its server."""

    def __init__(self, server: Server, folder: Path, port: int) -> None:
        self._source = (APPS / server.app).read_text()
        self._file = folder / "shop.py"
        self._count = 1
        self._file.write_text(self._source)
        self.port = port
        self.terminal = Terminal(server.arguments(port), folder, ENVIRONMENT)

    @property
    def greeting(self) -> str:
        """The text of the page. Its length grows, since Python takes a file of one second and one size as unchanged."""
        return "1" * self._count

    def change(self) -> Awaited:
        """Save the app with another greeting, and wait for the page that has it."""
        self._count += 1
        moment = self._save(self._source.replace('GREETING = "1"', f'GREETING = "{self.greeting}"'))
        return await_page(self.port, self.greeting, moment, PATIENCE)

    def make_mistake(self) -> None:
        """Save the app with a syntax error in its last line."""
        self._save(f"{self._source}\n\n{MISTAKE}\n")

    def _save(self, text: str) -> float:
        moment = monotonic()
        self._file.write_text(text)
        return moment

    @property
    def has_ended(self) -> bool:
        """True once the server's command has ended."""
        return self.terminal.exit_code is not None

    def rest(self) -> None:
        """Wait until the server has nothing more to say, as it is by the time at which somebody saves."""
        self.terminal.wait_quiet(QUIET, PATIENCE)


def play(server: Server) -> Results:
    """Play all acts with a server."""
    results: Results = {}
    with opened(server) as (shop, seconds):
        results["first page"] = seconds
        for act in (reload, reload_with_stream, break_and_mend):
            if not shop.has_ended:
                results |= act(shop)
    for count in (0, STREAMS):
        with opened(server) as (shop, _):
            results |= {f"{name}, {count} streams": value for name, value in end(shop, count).items()}
    return results | taken_port(server)


@contextmanager
def opened(server: Server) -> Iterator[tuple[Shop, float]]:
    """Start a server, and give it with the seconds until its first page. Kill the server at the end."""
    with TemporaryDirectory() as folder:
        shop = Shop(server, Path(folder), free_port())
        with closing(shop.terminal):
            seconds, _ = await_page(shop.port, shop.greeting, shop.terminal.started, START)
            if seconds is None:
                raise RuntimeError(f"{server.name} does not serve:\n{shop.terminal.text()}")
            shop.rest()
            yield shop, seconds


def reload(shop: Shop) -> Results:
    """Save a change, and wait for the new page."""
    seconds, failures = shop.change()
    shop.rest()
    return {"reload": seconds, "requests at a reload": " or ".join(sorted(failures)) or "all answered"}


def reload_with_stream(shop: Shop) -> Results:
    """Save a change while a stream is open."""
    with closing(Streams(shop.port, 1, PATIENCE)) as streams:
        seconds, _ = shop.change()
        streams.read_to_end(QUIET)
        stream = streams.ends()[0]
    if seconds is None:  # it may have waited for the client to leave
        await_page(shop.port, shop.greeting, monotonic(), PATIENCE)
    shop.rest()
    return {"reload, stream": seconds, "stream at a reload": stream}


def break_and_mend(shop: Shop) -> Results:
    """Save a syntax error, look at the terminal and at the page, and save a version without it."""
    terminal, mark = shop.terminal, shop.terminal.mark()
    shop.make_mistake()
    wait(lambda: "SyntaxError" in terminal.text(mark) or shop.has_ended, PATIENCE)
    shop.rest()
    lines = terminal.lines(mark)
    results: Results = {
        "mistake": "ends" if shop.has_ended else "stays",
        "mistake, shown": "yes" if any(MISTAKE in line for line in lines) else "no",
        "mistake, lines": float(len(lines)),
        "mistake, browser": seen(shop),
        "mended": "only after a manual restart",
    }
    if not shop.has_ended:
        results["mended"], _ = shop.change()
    return results


def seen(shop: Shop) -> str:
    """Describe what a browser gets after a mistake was saved."""
    page = get(shop.port, within=2.0)
    if page.status == 0:
        return page.body
    if page.status == 200:
        return "the old page"
    return f"{page.status} {'with' if MISTAKE.partition(' ')[0] in page.body else 'without'} the line"


def end(shop: Shop, count: int) -> Results:
    """Press Ctrl-C with so many streams open; a second time, when the first was not enough."""
    terminal, is_again, seconds = shop.terminal, "", None
    with closing(Streams(shop.port, count, PATIENCE)) as streams:
        mark, pressed = terminal.mark(), terminal.press(CTRL_C)
        while not shop.has_ended and monotonic() < pressed + PATIENCE:
            streams.read()
        if shop.has_ended:
            seconds = monotonic() - pressed
        else:
            terminal.press(CTRL_C)
            is_again = "ends" if wait(lambda: shop.has_ended, PATIENCE) else "does not end"
        streams.read_to_end(QUIET)
        terminal.wait_quiet(0.2, PATIENCE)
        left = terminal.left_behind() if shop.has_ended else 0  # with the clients still there
        ends = streams.ends()
    return {
        "Ctrl-C": seconds,
        "second Ctrl-C": is_again,
        "clean": f"{ends.count('clean')} of {count}",
        "tracebacks": float(traceback_lines(terminal.lines(mark))),
        "left behind": float(left),
    }


def taken_port(server: Server) -> Results:
    """Start a server whose port is taken, and wait for its end."""
    with closing(socket.create_server(("127.0.0.1", 0))) as taken, TemporaryDirectory() as folder:
        shop = Shop(server, Path(folder), taken.getsockname()[1])
        terminal = shop.terminal
        with closing(terminal):
            seconds = monotonic() - terminal.started if wait(lambda: shop.has_ended, PATIENCE) else None
            terminal.wait_quiet(0.2, PATIENCE)
            return {
                "taken": seconds,
                "taken, code": str(terminal.exit_code),
                "taken, lines": float(len(terminal.lines())),
                "taken, says": "yes" if re.search(r"in use|is taken", terminal.text()) else "no",
            }


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
