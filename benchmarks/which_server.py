"""`python -m benchmarks.which_server`: requests to each server that Antiphon might be served by, in CPU time.

Each server answers with a bare application and with Antiphon's, in turn; a server that isn't installed is left out.
The first line is what the others are measured by. It compares, and fails for nothing. Linux only.
"""

import sys
from argparse import ArgumentParser
from importlib.util import find_spec
from statistics import median

from . import interpreter
from .apps import module_of, name_of
from .cases import CASES
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


def measure(case: str, rounds: int, *, free: bool) -> dict[tuple[str, str], list[Sample]]:
    """Load the servers by turns; return the samples of each server and application."""
    servers = {
        (name, framework): (command, f"{module_of(framework)}:{name_of(framework, interface, case)}")
        for framework, known in (("bare", SERVERS), ("antiphon", SERVERS), ("antiphon", OURS))
        for name, (package, interface, command) in known.items()
        if find_spec(package) is not None
    }
    return measure_case(CASES[case], servers, rounds, free=free)


@on_linux
def main() -> int:
    parser = ArgumentParser(prog="python -m benchmarks.which_server", description=__doc__)
    parser.add_argument("--rounds", type=int, default=40, help="samples of each server (40)")
    parser.add_argument("--case", action="append", choices=("hello", "form", "json"), help="only this one (repeatable)")
    parser.add_argument("--free", action="store_true", help="let the system schedule the servers as it likes")
    options = parser.parse_args()
    print(f"{interpreter.described()}\non {'any core' if options.free else 'one core'}")
    for case in options.case or ("hello", "form", "json"):
        samples = measure(case, options.rounds, free=options.free)
        base = next(iter(samples.values()))
        print(f"\n{case:30}{'with':10}{'CPU us':>8}{'times':>8}{'quarter':>9}{'to':>7}{'wall us':>9}")
        for (name, framework), found in samples.items():
            ratios = sorted(one.cpu / other.cpu for one, other in zip(found, base, strict=True))
            low, high = ratios[len(ratios) // 4], ratios[-1 - len(ratios) // 4]
            print(
                f"{name:30}{framework:10}{median(each.cpu for each in found):8.1f}"
                f"{median(ratios):8.2f}{low:9.2f}{high:7.2f}{median(each.elapsed for each in found):9.1f}"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
