"""`python -m benchmarks.locations`: the time and memory that a file of ranges of addresses takes, and a lookup in it.

Beside Asok, which reads one of the three files, and Python's `ip_address`, which only reads the address. The files are
made for this, of ranges all over IPv4 and IPv6, with 60,000 places.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from time import perf_counter
from typing import Any

PLACES = 60_000
LOOKUPS = 500
ROUNDS = 60
MOST_PARSES = 4
"""Times that it takes Python to read an address, in which it is looked up."""


def lines(starts: list[int], end: int, places: random.Random) -> Iterator[str]:
    """A line for each range, from one start to the next, as integers."""
    for start, following in zip(starts, [*starts[1:], end], strict=True):
        place = places.randrange(PLACES)
        degrees = f"{place % 1700 / 10 - 85:.4f},{place % 3600 / 10 - 180:.4f}"
        yield f"{start},{following - 1},City {place},Country {place % 240},{degrees}\n"


def antiphon() -> Callable[[str], Callable[[str], Any]]:
    """Import what is needed, and return a function that loads a file, and returns the lookup in it."""
    from antiphon.features.geoip.feature import GeoIP

    def load(path: str) -> Callable[[str], Any]:
        locations = GeoIP(path)
        locations.load()
        return locations.find

    return load


def asok() -> Callable[[str], Callable[[str], Any]]:
    """Import Asok, and return a function that loads a file, and returns Asok's lookup in it."""
    from asok.utils.geo import IPLocation

    def load(path: str) -> Callable[[str], Any]:
        location = IPLocation(path)
        location.lookup("192.0.2.1")
        return location.lookup

    return load


def measure(library: Callable[[], Callable[[str], Callable[[str], Any]]], path: str, family: int) -> None:
    """Print what loading a file and looking up addresses take, in this process. Exit with 1 if a lookup takes long."""
    chance = random.Random(2)
    load = library()
    before = memory()
    start = perf_counter()
    find = load(path)
    loading = perf_counter() - start
    after = memory()
    ips = [address(chance, family) for _ in range(LOOKUPS)]
    lookup, parse = microseconds(ips, find, ip_address)
    size = os.path.getsize(path) / 1e6
    print(f"{size:8.0f} {loading:8.2f} {after - before:10.0f} {lookup:10.1f} {parse:10.1f}")
    sys.exit(library is antiphon and lookup > MOST_PARSES * parse)


def microseconds(ips: list[str], *calls: Callable[[str], Any]) -> list[float]:
    """The least time that each of some calls takes, of several rounds, in turns."""
    rounds: list[list[float]] = []
    for _ in range(ROUNDS):
        times = []
        for call in calls:
            start = perf_counter()
            for ip in ips:
                call(ip)
            times.append(perf_counter() - start)
        rounds.append(times)
    return [min(times) / len(ips) * 1e6 for times in zip(*rounds, strict=True)]


def address(chance: random.Random, family: int) -> str:
    """An address anywhere in the ranges."""
    if family == 6:
        return str(IPv6Address(chance.randrange(0x2001 << 112, 0x2FFF << 112)))
    return ".".join(str(chance.randrange(1, 224)) for _ in range(4))


def memory() -> float:
    """The memory of this process, in MB; 0 where the system does not tell."""
    statm = Path("/proc/self/statm")
    return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGESIZE") / 1e6 if statm.exists() else 0.0


FILES = {
    "IPv4, in order": (4, 1 << 24, 224 << 24, [antiphon, asok]),
    "IPv4, in no order": (4, 1 << 24, 224 << 24, [antiphon]),
    "IPv6, in order": (6, 0x2001 << 112, 0x2FFF << 112, [antiphon]),
}
"""The family, the bounds of the addresses, and the libraries that read such a file."""


def main() -> None:
    """Make the files, and measure each in a process of its own. Exit with 1 where a lookup takes too long."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ranges", type=int, default=500_000)
    parser.add_argument("--measure", nargs=3, metavar=("LIBRARY", "FILE", "FAMILY"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        library, path, family = options.measure
        measure({"antiphon": antiphon, "asok": asok}[library], path, int(family))
    chance = random.Random(1)
    failed = False
    print(f"{options.ranges:,} ranges".ljust(28), " file MB   load s  memory MB  lookup us  parse us")
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "geo.csv"))
        for name, (family, low, high, libraries) in FILES.items():
            made = list(lines(sorted({chance.randrange(low, high) for _ in range(options.ranges)}), high, chance))
            if "no order" in name:
                chance.shuffle(made)
            Path(path).write_text("".join(made))
            for library in libraries:
                print(f"{name:18} {library.__name__:9}", end=" ", flush=True)
                command = [sys.executable, "-m", "benchmarks.locations"]
                measured = [*command, "--measure", library.__name__, path, str(family)]
                failed = subprocess.run(measured, check=False).returncode != 0 or failed
    sys.exit(failed)


if __name__ == "__main__":
    main()
