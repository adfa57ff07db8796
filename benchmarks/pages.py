"""`python -m benchmarks.pages`: a page of rows, whole and as a block, beside Jinja2's own rendering, in this process.

Fails where a whole response takes more of the time of Jinja2's own rendering than is aimed at.
"""

import asyncio
import sys
from argparse import ArgumentParser
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import SimpleNamespace
from wsgiref.types import StartResponse, WSGIEnvironment

from jinja2 import Environment, FileSystemLoader

from antiphon import App, Request
from antiphon.features import Page, Templates
from antiphon.speedups import IS_COMPILED

from .cases import FETCH, PAGE, Case, WrongAnswerError
from .harness import BATCH, AsgiServer, Server, WsgiServer, compare
from .report import OURS, Cell, table

FOLDER = Path(__file__).with_name("page_templates")
LAMPS = [
    {"id": number, "name": f"Lamp no. {number} <brass & glass>", "price": 9.9 + number, "is_new": number % 7 == 0}
    for number in range(100)
]
TABLES: dict[str, Sequence[object]] = {"lamps": LAMPS, "objects": [SimpleNamespace(**lamp) for lamp in LAMPS[:50]]}
"""Rows by the path at which they are: dicts, and objects with attributes, such as an ORM has."""
AIMS = {"objects": {True: 0.75, False: 1.05}, "dicts": {True: 0.6, False: 0.75}}
"""The part of Jinja2's own rendering that a whole response may take, with the extension in C and without."""


class PageCase(Case):
    """A page whose rows count, and the response to be whole or a part."""

    def check(self, status: int, headers: Sequence[tuple[str, str]], body: bytes) -> None:
        text = body.decode()
        kind = dict(headers).get("content-type", "").partition(";")[0]
        rows = text.count('<tr id="row-')
        is_right = (
            rows == text.count("&lt;brass &amp; glass&gt;") == len(TABLES[self.path[1:]])
            and ("<html" in text) is self.answer
        )
        if status != 200 or kind != "text/html" or not is_right:
            raise WrongAnswerError(f"{self.name}: {status} {kind}: {text[:500]}")


CASES = (
    PageCase("dicts", "GET", "/lamps", PAGE, "text/html", True),
    PageCase("objects", "GET", "/objects", PAGE, "text/html", True),
    PageCase("block", "GET", "/lamps", FETCH | {"accept": "text/html", "x-block": "main"}, "text/html", False),
)
ENVIRONMENT = Environment(loader=FileSystemLoader(FOLDER), autoescape=True, auto_reload=False)


def jinja(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    name = "rows.html" if "HTTP_X_BLOCK" in environ else "page.html"
    rows = TABLES[environ["PATH_INFO"].lstrip("/")]
    text = ENVIRONMENT.get_template(name).render(title="Lamps", rows=rows)
    start_response("200 OK", [("content-type", "text/html")])
    return [text.encode()]


def lamps(_request: Request, name: str) -> Page:
    return Page("page.html", _block="main", title="Lamps", rows=TABLES[name])


async def lamps_async(_request: Request, name: str) -> Page:
    return Page("page.html", _block="main", title="Lamps", rows=TABLES[name])


def main() -> int:
    parser = ArgumentParser(prog="python -m benchmarks.pages", description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    options = parser.parse_args()
    loop = asyncio.new_event_loop()
    apps = {}
    for handler in (lamps, lamps_async):
        apps[handler] = App()
        apps[handler].use(Templates(FOLDER))
        apps[handler].get("/<name>")(handler)
    servers: dict[str, Server] = {OURS: WsgiServer(apps[lamps]), "jinja": WsgiServer(jinja)}
    whole = [Cell("wsgi", case.name, compare(servers, case, options.rounds, BATCH)) for case in CASES]
    on_loop = {OURS: AsgiServer(apps[lamps_async], loop)}
    print(table(whole))
    print(table([Cell("asgi", case.name, compare(on_loop, case, options.rounds, BATCH)) for case in CASES]))
    on_loop[OURS].close()
    loop.close()
    behind = 0
    for cell in whole:
        aim = AIMS.get(cell.case, {}).get(IS_COMPILED)
        part = cell.times[OURS] / cell.times["jinja"]
        if aim is not None and part > aim:
            print(f"TOO SLOW: {cell.case}: {part:.2f} of Jinja2's own rendering, not {aim:.2f}")
            behind = 1
    return behind


if __name__ == "__main__":
    sys.exit(main())
