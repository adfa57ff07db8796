"""`python -m benchmarks.pages`: a page of rows, whole and as a block, beside other frameworks, in this process.

Fails where Antiphon is not ahead of each of them, or takes more of the time of Jinja2's own rendering than is aimed at.
"""

import asyncio
import re
import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from importlib import import_module

from antiphon.speedups import IS_COMPILED

from .cases import FETCH, PAGE, Case, WrongAnswerError
from .harness import BATCH, AsgiServer, Server, WsgiServer, compare
from .page_apps import TABLES
from .report import OURS, Cell, shortfalls, table

JINJA = "jinja"
INTERFACES = {"wsgi": ("antiphon", JINJA, "flask", "asok"), "asgi": ("antiphon", "starlette")}
AIMS = {"objects": {True: 0.75, False: 1.05}, "dicts": {True: 0.6, False: 0.75}}
"""The part of Jinja2's own rendering that a whole answer may take, with the extension in C and without."""


class PageCase(Case):
    """A page whose rows count, and the answer to be whole or a part: some frameworks add scripts and markers."""

    def check(self, status: int, headers: Sequence[tuple[str, str]], body: bytes) -> None:
        text = body.decode()
        kind = dict(headers).get("content-type", "").partition(";")[0]
        rows = re.findall(r"<tr id=\"?row-\d+\"?>", text)
        is_right = (
            len(rows) == len(TABLES[self.path[1:]])
            and "&lt;brass &amp; glass&gt;" in text
            and ("<html" in text) is self.answer
        )
        if status != 200 or kind != "text/html" or not is_right:
            raise WrongAnswerError(f"{self.name}: {status} {kind}: {text[:500]}")


CASES = (
    PageCase("dicts", "GET", "/lamps", PAGE, "text/html", True),
    PageCase("objects", "GET", "/objects", PAGE, "text/html", True),
    PageCase("block", "GET", "/lamps", FETCH | {"accept": "text/html", "x-block": "main"}, "text/html", False),
)


def main() -> int:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--quick", action="store_true", help="few rounds: does it work?")
    options = parser.parse_args()
    rounds = 2 if options.quick else options.rounds
    loop = asyncio.new_event_loop()
    behind = []
    for interface, names in INTERFACES.items():
        servers = {name: serve(name, interface, loop) for name in names}
        cells = [Cell(interface, case.name, compare(servers, case, rounds, BATCH)) for case in CASES]
        print(table(cells), end="\n\n", flush=True)
        behind += [*shortfalls(cells), *missed(cells)]
        for server in servers.values():
            server.close()
    loop.close()
    for line in behind:
        print(f"TOO SLOW: {line}")
    return 1 if behind else 0


def missed(cells: Sequence[Cell]) -> Iterator[str]:
    """A line for each page that takes more of the time of Jinja2's own rendering than is aimed at."""
    for cell in cells:
        aim = AIMS.get(cell.case, {}).get(IS_COMPILED)
        if aim is not None and JINJA in cell.times and cell.times[OURS] > aim * cell.times[JINJA]:
            part = cell.times[OURS] / cell.times[JINJA]
            yield f"{cell.case} over {cell.interface.upper()}: {part:.2f} of Jinja2's own rendering, not {aim:.2f}"


def serve(name: str, interface: str, loop: asyncio.AbstractEventLoop) -> Server:
    app = getattr(import_module(f"benchmarks.page_apps.{name}_app"), interface)
    return WsgiServer(app) if interface == "wsgi" else AsgiServer(app, loop)


if __name__ == "__main__":
    sys.exit(main())
