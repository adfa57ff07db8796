"""`python -m benchmarks.which_server`: requests to each server that Antiphon might be served by, in CPU time.

Each server responds by a bare application, by Antiphon's and by Starlette's, in turn; a server that isn't installed is
left out. The others are measured by the first line. It compares, and fails for nothing. Linux only.
"""

import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from statistics import median

from . import interpreter
from .apps import module_of, name_of, served
from .cases import CASES, HELLO, WrongAnswerError
from .server_process import granian, on_linux
from .wire import UVICORN, Sample, measure_case

RUN = ("-m", "antiphon", "run", "--port={port}", "--no-access-log", "{app}")
FASTPYSGI = (
    "-c",
    """import fastpysgi, pkgutil; app = pkgutil.resolve_name('{app}')
fastpysgi.run(lambda environ, start: app(environ, start), host='127.0.0.1', port={port})""",
)
SERVERS = {
    "Granian, ASGI": ("granian", "asgi", granian("asgi")),
    "Granian, RSGI": ("granian", "rsgi", granian("rsgi")),
    "Granian, WSGI": ("granian", "wsgi", granian("wsgi")),
    "Uvicorn, ASGI": ("uvicorn", "asgi", (*UVICORN, "--timeout-keep-alive=600")),
    "FastPySGI, WSGI": ("fastpysgi", "wsgi", FASTPYSGI),
}
"""The package of each server, the interface, and the command."""
OURS = {
    f"antiphon run, {name.upper()}": ("granian", name, (*RUN, f"--interface={name}"))
    for name in ("asgi", "rsgi", "wsgi")
} | {"antiphon run, Uvicorn": ("uvicorn", "asgi", (*RUN, "--server=uvicorn"))}


class PageCase(type(HELLO)):  # type: ignore[misc]
    """A page with all its rows."""

    def check(self, status: int, _headers: Sequence[tuple[str, str]], body: bytes) -> None:
        if status != 200 or body.count(b'<tr id="row-') != len(served.ROWS):
            raise WrongAnswerError(f"{self.name}: {status} {body[:200]!r}")


class EventsCase(type(HELLO)):  # type: ignore[misc]
    """A stream of all events."""

    def check(self, status: int, _headers: Sequence[tuple[str, str]], body: bytes) -> None:
        if status != 200 or body.count(b"data: tick ") != served.EVENTS:
            raise WrongAnswerError(f"{self.name}: {status} {body[:200]!r}")


MEASURED = {name: CASES[name] for name in ("hello", "form", "json")} | {
    "page": PageCase(*HELLO._replace(name="page", path="/page")),
    "events": EventsCase(*HELLO._replace(name="events", path="/events", answer=None)),
}
REQUESTS = {"events": 4}
"""How many requests are one sample, where it isn't 400."""


def measure(case: str, rounds: int, *, free: bool) -> dict[tuple[str, str], list[Sample]]:
    """Load the servers by turns; return the samples of each server and application."""
    return measure_case(MEASURED[case], dict(_servers(case)), rounds, free=free, requests=REQUESTS.get(case, 400))


def _servers(case: str) -> Iterator[tuple[tuple[str, str], tuple[Sequence[str], str]]]:
    for framework, known in (("bare", SERVERS), ("antiphon", SERVERS), ("antiphon", OURS), ("starlette", SERVERS)):
        for name, (package, interface, command) in known.items():
            if find_spec(package) is None or (framework == "starlette" and interface != "asgi"):
                continue
            if case in CASES:
                yield (name, framework), (command, f"{module_of(framework)}:{name_of(framework, interface, case)}")
            elif framework != "bare" and interface != "wsgi":
                app = framework if framework == "antiphon" else f"{framework}_app"
                yield (name, framework), (command, f"{served.__name__}:{app}")


@on_linux
def main() -> int:
    parser = ArgumentParser(prog="python -m benchmarks.which_server", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="samples of each server (20)")
    parser.add_argument("--case", action="append", choices=MEASURED, help="only this one (repeatable)")
    parser.add_argument("--free", action="store_true", help="let the system schedule the servers as it likes")
    options = parser.parse_args()
    print(f"{interpreter.described()}\non {'any core' if options.free else 'one core'}")
    for case in options.case or MEASURED:
        samples = measure(case, options.rounds, free=options.free)
        base = next(iter(samples.values()))
        print(f"\n{case:30}{'with':10}{'CPU us':>10}{'times':>8}{'quarter':>9}{'to':>7}{'wall us':>10}")
        for (name, framework), found in samples.items():
            ratios = sorted(one.cpu / other.cpu for one, other in zip(found, base, strict=True))
            low, high = ratios[len(ratios) // 4], ratios[-1 - len(ratios) // 4]
            print(
                f"{name:30}{framework:10}{median(each.cpu for each in found):10.1f}"
                f"{median(ratios):8.2f}{low:9.2f}{high:7.2f}{median(each.elapsed for each in found):10.1f}"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
