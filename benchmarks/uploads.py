"""`python -m benchmarks.uploads`: a large file in a form, uploaded to several frameworks, each in a fresh process.

Beside them its bytes are copied to a temporary file without being looked at. A framework's speed is the share that it
has of that copy's, in CPU time of the process. Fails where Antiphon has less than 90 % of it, where its memory grows by
8 MiB or more though four read the whole body, one after another, and where a small form takes it longer than another
framework. Linux only.
"""

import json
import subprocess
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Mapping
from importlib.metadata import version

from . import interpreter
from .report import OURS, Cell, shortfalls, table
from .server_process import ROOT, on_linux
from .small_forms import measure
from .upload_body import CONTENTS
from .upload_sample import MIB, Sample

COPY = "copy"
READERS = "readers"
FRAMEWORKS = {
    "wsgi": (COPY, OURS, READERS, "multipart", "werkzeug", "falcon", "django"),
    "asgi": (COPY, OURS, READERS, "starlette", "falcon", "django"),
}
PACKAGES = ("multipart", "werkzeug", "falcon", "django", "starlette", "python-multipart")

SHARE = 0.9
MOST_MEMORY = 8 * MIB


def sample(interface: str, name: str, size: int, content: str) -> Sample:
    """One upload in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.upload_sample", interface, name, str(size), content]
    return Sample(*json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout))


def compare(interface: str, options: Namespace, size: int) -> dict[str, list[Sample]]:
    """The samples of all, taken by turns."""
    names = [name for name in FRAMEWORKS[interface] if name in {COPY, OURS} or name in options.framework]
    samples: dict[str, list[Sample]] = {name: [] for name in names}
    for _ in range(options.rounds):
        for name, found in samples.items():
            found.append(sample(interface, name, size, options.content))
    return samples


def share(samples: Mapping[str, list[Sample]], name: str) -> float:
    """A framework's speed as a part of the copy's. The least times are compared: noise only ever adds to them."""
    return min(found.cpu for found in samples[COPY]) / min(found.cpu for found in samples[name])


def lines(interface: str, size: int, samples: Mapping[str, list[Sample]]) -> Iterator[str]:
    for name, found in samples.items():
        rate = size / min(each.cpu for each in found)
        passed = size / min(each.time for each in found)
        grown = max(each.memory for each in found) / MIB
        yield f"{interface} {size:5} MiB  {name:10}{rate:8.0f} ({passed:5.0f}){share(samples, name):9.1%}{grown:10.1f}"


def failures(interface: str, size: int, samples: Mapping[str, list[Sample]]) -> Iterator[str]:
    if (found := share(samples, OURS)) < SHARE:
        yield f"TOO SLOW: {size} MiB over {interface.upper()}: {found:.1%} of a plain copy's speed, not {SHARE:.0%}"
    for name in samples.keys() & {OURS, READERS}:
        grown = max(found.memory for found in samples[name])
        if grown >= MOST_MEMORY:
            yield f"TOO LARGE: {size} MiB over {interface.upper()}: {name} grew by {grown / MIB:.1f} MiB"


def large_uploads(options: Namespace) -> Iterator[str]:
    """Print a table, and give what falls short."""
    print("MiB for a second of CPU time (for one that passed), the share of the copy's, by how many MiB memory grew")
    for size in options.size:
        for interface in options.interface:
            samples = compare(interface, options, size)
            print("", *lines(interface, size, samples), sep="\n", flush=True)
            yield from failures(interface, size, samples)


def small_forms(options: Namespace) -> Iterator[str]:
    """Likewise."""
    print("\nSmall forms: microseconds a request, and how many times Antiphon's that is")
    results: list[Cell] = []
    for interface in options.interface:
        names = [name for name in FRAMEWORKS[interface] if name not in {COPY, READERS}]
        names = [name for name in names if name == OURS or name in options.framework]
        cells = measure(interface, names, options.samples)
        print(f"\n{table(cells)}", flush=True)
        results += cells
    for line in shortfalls(results):
        yield f"NOT AHEAD: {line}"


@on_linux
def main() -> int:
    options = parse_options()
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    print(f"{interpreter.described()}\n{versions}")
    found = [*large_uploads(options)] if options.rounds else []
    found += small_forms(options) if options.samples else []
    for text in found:
        print(text)
    return 1 if found else 0


def parse_options() -> Namespace:
    parser = ArgumentParser(prog="python -m benchmarks.uploads", description=__doc__)
    parser.add_argument("--interface", action="append", choices=FRAMEWORKS, help="measure only this interface")
    names = sorted({*FRAMEWORKS["wsgi"], *FRAMEWORKS["asgi"]} - {COPY, OURS})
    parser.add_argument("--framework", action="append", choices=names, help="compare only this one (repeatable)")
    parser.add_argument("--size", action="append", type=int, help="of the file, in MiB (64 and 1024)")
    parser.add_argument("--content", choices=CONTENTS, default="random", help="what the file is made of (random)")
    parser.add_argument("--rounds", type=int, default=7, help="uploads for each application (7); 0 for none")
    parser.add_argument("--samples", type=int, default=40, help="samples for each small form (40); 0 for none")
    options = parser.parse_args()
    options.interface = options.interface or list(FRAMEWORKS)
    options.framework = options.framework or [*FRAMEWORKS["wsgi"], *FRAMEWORKS["asgi"]]
    options.size = options.size or [64, 1024]
    return options


if __name__ == "__main__":
    sys.exit(main())
