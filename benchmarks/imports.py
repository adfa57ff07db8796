"""`python -m benchmarks.imports`: what `import antiphon` costs beside Starlette, and that it stays light.

Each dialect is imported beside its original, in CPU time. Where a dialect takes longer, a line says so.
"""

import subprocess
import sys
from importlib.util import find_spec
from statistics import median

OURS = "import antiphon"
STATEMENTS = (OURS, "from antiphon import App, Request, Response", "import starlette.applications")
RUNS = 15

HEAVY = ("granian", "jinja2", "msgspec", "click")
"""What `import antiphon` must not load: server, templates, JSON, command line."""

REPORTED = ("asyncio",)

DIALECTS = {
    "asok": "Asok, Request",
    "flask": "Flask, request",
    "microdot": "Microdot, Request",
    "pyramid.config": "Configurator",
    "webob": "Request, Response",
    "werkzeug": "Request, Response",
}
"""What an application's first line imports of a dialect, or of its original."""
GOAL = 1.0


def run(program: str) -> str:
    """What a program prints in a fresh, isolated process."""
    return subprocess.run([sys.executable, "-I", "-c", program], check=True, stdout=subprocess.PIPE, text=True).stdout


def milliseconds(statement: str) -> float:
    """The wall time of a statement in a process that has done nothing else."""
    clock = "from time import perf_counter"
    return float(run(f"{clock}; start = perf_counter(); {statement}; print((perf_counter() - start) * 1e3)"))


def cpu_milliseconds(statement: str) -> float:
    """The CPU time of a statement in a process that has done nothing else."""
    clock = "from time import process_time_ns as cpu; from warnings import simplefilter; simplefilter('ignore')"
    return int(run(f"{clock}; start = cpu(); {statement}; print(cpu() - start)")) / 1e6


def compare_dialects() -> None:
    """Import dialects and originals by turns, so that noise hits all alike; print how their least times compare."""
    found = {name: names for name, names in DIALECTS.items() if find_spec(name.partition(".")[0])}
    times: dict[tuple[str, str], list[float]] = {
        (name, home): [] for name in found for home in ("antiphon.dialects.", "")
    }
    for _ in range(RUNS + 1):
        for (name, home), samples in times.items():
            samples.append(cpu_milliseconds(f"from {home}{name} import {found[name]}"))
    for name in found:
        ours, original = min(times[name, "antiphon.dialects."][1:]), min(times[name, ""][1:])
        missed = "" if ours <= GOAL * original else f"  MISSED: not {GOAL:.1f}"
        print(f"{name:20}{ours:8.2f} ms, the original {original:8.2f} ms ({ours / original:.2f}x){missed}")


def loaded(statement: str) -> set[str]:
    """The names of the modules that a statement leaves in `sys.modules`."""
    return set(run(f"{statement}; import sys; print(*sys.modules)").split())


def main() -> int:
    times: dict[str, list[float]] = {statement: [] for statement in STATEMENTS}
    for _ in range(RUNS + 1):
        for statement, samples in times.items():
            samples.append(milliseconds(statement))
    ours = median(times[OURS][1:])
    for statement, samples in times.items():
        time = median(samples[1:])
        print(f"{statement:45}{time:8.2f} ms ({time / ours:.2f}x)")
    compare_dialects()
    modules = loaded(OURS)
    for name in REPORTED:
        print(f"`{OURS}` {'loads' if name in modules else 'does not load'} {name}")
    heavy = [name for name in HEAVY if name in modules]
    for name in heavy:
        print(f"TOO HEAVY: `{OURS}` loads {name}")
    return 1 if heavy else 0


if __name__ == "__main__":
    sys.exit(main())
