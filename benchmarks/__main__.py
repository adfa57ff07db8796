"""`python -m benchmarks`: the frameworks side by side in this process; fails where Antiphon is not ahead."""

import asyncio
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from contextlib import ExitStack
from importlib import import_module
from importlib.metadata import version
from types import ModuleType

from . import interpreter
from .cases import CASES
from .harness import BATCH, AsgiServer, Server, WsgiServer, compare
from .report import FLOOR, Cell, overall, shortfalls, table

FRAMEWORKS = ("antiphon", "bare", "falcon", "werkzeug", "webob", "flask", "starlette", "blacksheep")
INTERFACES = ("wsgi", "asgi")


def main() -> int:
    options = parse_options()
    apps = {name: import_module(f"benchmarks.apps.{name}_app") for name in FRAMEWORKS}
    print(introduction())
    results: list[Cell] = []
    for interface in options.interface:
        cells = measure(interface, apps, options.case, options)
        print(f"\n{table(cells)}", flush=True)
        results += cells
    print(f"\nAntiphon takes {overall(results):.2f} of the best peer's time (geometric mean over the cells)")
    behind = list(shortfalls(results, falcon_form(results, apps, options)))
    for line in behind:
        print(f"NOT AHEAD: {line}")
    return 1 if behind else 0


def introduction() -> str:
    versions = ", ".join(f"{name} {version(name)}" for name in FRAMEWORKS if name != FLOOR)
    figures = "Microseconds of CPU time a request, and how many times Antiphon's that is"
    return f"{interpreter.described()}\n{versions}\n{figures}"


def measure(interface: str, apps: Mapping[str, ModuleType], cases: list[str], options: Namespace) -> list[Cell]:
    """Compare the applications that speak an interface, case by case."""
    calls = BATCH if options.quick else 10 * BATCH
    with ExitStack() as stack:
        loop = asyncio.new_event_loop()
        stack.callback(loop.close)
        servers: dict[str, Server] = {}
        for name, module in apps.items():
            if hasattr(module, interface):
                servers[name] = serve(getattr(module, interface), interface, loop)
                stack.callback(servers[name].close)
        return [
            Cell(interface, case, compare(among(servers, case), CASES[case], options.rounds, calls)) for case in cases
        ]


def among(servers: Mapping[str, Server], case: str) -> dict[str, Server]:
    """The servers that a case compares."""
    compared = CASES[case].frameworks
    return {name: server for name, server in servers.items() if not compared or name in compared}


def serve(app: object, interface: str, loop: asyncio.AbstractEventLoop) -> Server:
    return WsgiServer(app) if interface == "wsgi" else AsgiServer(app, loop)  # type: ignore[arg-type]  # by its name


def falcon_form(results: list[Cell], apps: Mapping[str, ModuleType], options: Namespace) -> float | None:
    """Falcon's time for a form over WSGI, from the results or measured now; None if no form is judged."""
    forms = {cell.interface: cell for cell in results if cell.case == "form"}
    if not forms:
        return None
    if "wsgi" not in forms:
        (forms["wsgi"],) = measure("wsgi", {"falcon": apps["falcon"]}, ["form"], options)
    return forms["wsgi"].times["falcon"]


def parse_options() -> Namespace:
    parser = ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--case", action="append", choices=CASES, help="measure only this case (repeatable)")
    parser.add_argument("--interface", action="append", choices=INTERFACES, help="measure only this interface")
    parser.add_argument("--rounds", type=int, help="samples for each framework and case (40; 5 if quick)")
    parser.add_argument("--quick", action="store_true", help="few and small samples, to see that all works")
    options = parser.parse_args()
    options.case = options.case or list(CASES)
    options.interface = options.interface or list(INTERFACES)
    if options.rounds is None:
        options.rounds = 5 if options.quick else 40
    return options


if __name__ == "__main__":
    sys.exit(main())
