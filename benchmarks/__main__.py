"""`python -m benchmarks`: the frameworks side by side in this process.

Fails where Antiphon is not ahead of each of them in each cell, and where the geometric mean of its part of the best
peer's time is above what is aimed at.
"""

import asyncio
import sys
from argparse import ArgumentParser, Namespace
from contextlib import ExitStack

from antiphon.speedups import IS_COMPILED

from . import interpreter, readme
from .apps import application
from .cases import CASES, Case
from .harness import BATCH, AsgiServer, Server, WsgiServer, compare
from .report import AIMS, FLOOR, OURS, Cell, missed, shortfalls, summary, table

FRAMEWORKS = ("antiphon", "bare", "falcon", "flask", "starlette", "blacksheep")
INTERFACES = ("wsgi", "asgi")
FIGURES = "Microseconds of CPU time a request, and how many times Antiphon's that is:"


def main() -> int:
    options = parse_options()
    aim = AIMS[IS_COMPILED]
    print(introduction(), FIGURES, sep="\n", flush=True)
    tables = []
    results: list[Cell] = []
    for interface in options.interface:
        cells = measure(interface, options)
        tables.append(table(cells))
        print(f"\n{tables[-1]}", flush=True)
        results += cells
    print(f"\n{summary(results, aim)}")
    if options.write:
        shown = [FIGURES, *tables] if IS_COMPILED else []  # one pair of tables is enough to read
        text = "\n\n".join([introduction().replace("\n", ". ") + ".", *shown, summary(results, aim)])
        readme.write(f"benchmarks, {interpreter.speedups()}", text)
    behind = [] if options.quick else [*shortfalls(results), *missed(results, aim)]
    for line in behind:
        print(f"NOT AHEAD: {line}")
    return 1 if behind else 0


def introduction() -> str:
    versions = interpreter.versions(*(name for name in FRAMEWORKS if name not in {OURS, FLOOR}))
    return f"{interpreter.described()}\n{versions}"


def measure(interface: str, options: Namespace) -> list[Cell]:
    """Compare the applications that speak an interface, case by case."""
    calls = BATCH if options.quick else 10 * BATCH
    return [
        Cell(interface, case, compared(interface, CASES[case], options.framework, options.rounds, calls))
        for case in options.case
    ]


def compared(interface: str, case: Case, frameworks: list[str], rounds: int, calls: int) -> dict[str, float]:
    """Compare the applications that answer a case: microseconds by framework."""
    with ExitStack() as stack:
        loop = asyncio.new_event_loop()
        stack.callback(loop.close)
        servers: dict[str, Server] = {}
        for name in frameworks:
            app = application(name, interface, case.name)
            if app is not None and name in (case.frameworks or FRAMEWORKS):
                servers[name] = serve(app, interface, loop)
                stack.callback(servers[name].close)
        return compare(servers, case, rounds, calls)


def serve(app: object, interface: str, loop: asyncio.AbstractEventLoop) -> Server:
    return WsgiServer(app) if interface == "wsgi" else AsgiServer(app, loop)  # type: ignore[arg-type]  # by its name


def parse_options() -> Namespace:
    parser = ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--case", action="append", choices=CASES, help="measure only this case (repeatable)")
    parser.add_argument("--interface", action="append", choices=INTERFACES, help="measure only this interface")
    parser.add_argument("--rounds", type=int, help="samples for each framework and case (40; 5 if quick)")
    parser.add_argument("--quick", action="store_true", help="few and small samples, to see that all works; not judged")
    parser.add_argument("--framework", action="append", choices=FRAMEWORKS, help="measure only this one and Antiphon")
    parser.add_argument("--write", action="store_true", help="write the tables into benchmarks/README.md")
    options = parser.parse_args()
    if options.write and (options.case or options.interface or options.framework or options.quick):
        parser.error("--write takes all cells, with samples of full size")
    options.framework = [name for name in FRAMEWORKS if name in {OURS, *(options.framework or FRAMEWORKS)}]
    options.case = options.case or list(CASES)
    options.interface = options.interface or list(INTERFACES)
    if options.rounds is None:
        options.rounds = 5 if options.quick else 40
    return options


if __name__ == "__main__":
    sys.exit(main())
