"""`python -m benchmarks.imports`: what `import antiphon` costs beside Starlette, and that it stays light."""

import subprocess
import sys
from statistics import median

OURS = "import antiphon"
STATEMENTS = (OURS, "from antiphon import App, Request, Response", "import starlette.applications")
RUNS = 15

HEAVY = ("granian", "jinja2", "msgspec", "click")
"""What `import antiphon` must not load: server, templates, JSON, command line."""

REPORTED = ("asyncio",)


def run(program: str) -> str:
    """What a program prints in a fresh, isolated process."""
    return subprocess.run([sys.executable, "-I", "-c", program], check=True, stdout=subprocess.PIPE, text=True).stdout


def milliseconds(statement: str) -> float:
    """The wall time of a statement in a process that has done nothing else."""
    clock = "from time import perf_counter"
    return float(run(f"{clock}; start = perf_counter(); {statement}; print((perf_counter() - start) * 1e3)"))


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
    modules = loaded(OURS)
    for name in REPORTED:
        print(f"`{OURS}` {'loads' if name in modules else 'does not load'} {name}")
    heavy = [name for name in HEAVY if name in modules]
    for name in heavy:
        print(f"TOO HEAVY: `{OURS}` loads {name}")
    return 1 if heavy else 0


if __name__ == "__main__":
    sys.exit(main())
