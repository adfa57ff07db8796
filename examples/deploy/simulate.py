"""A day of a site on n machines and one Valkey, on paper: the load of each part, and which one reaches its limit first.

python simulate.py --machines 4 --users 200000

All results are arithmetic on the costs of one request, socket, event and command. docs/explanation/many-machines.md
says how the defaults were measured: measure your own, and pass them. Nothing here waits, fails or comes in bursts,
except for --peak. So plan for half of the result.
"""

from argparse import ArgumentDefaultsHelpFormatter, ArgumentParser, Namespace
from collections.abc import Iterable
from math import inf
from typing import NamedTuple

SECONDS_A_DAY = 24 * 3600
SETTINGS = {
    "machines": (3, "machines with the app"),
    "cores": (4, "processors of a machine"),
    "memory": (8.0, "GiB of a machine"),
    "files": (65536.0, "file descriptors of a machine's processes (LimitNOFILE, ulimit -n)"),
    "network": (1000.0, "Mbit/s of a machine, and of Valkey's"),
    "valkey_memory": (16.0, "GiB of Valkey (maxmemory)"),
    "users": (500_000.0, "people a day"),
    "returning": (0.8, "share of them with a session from an earlier day"),
    "pages": (30.0, "requests of each person a day"),
    "peak": (4.0, "the busiest second, as a multiple of the day's mean"),
    "online": (0.02, "share of the users with an open socket at the peak"),
    "writes": (0.1, "share of the requests that are idempotent writes"),
    "sessions": (14.0, "days that a session is kept"),
    "events": (10.0, "events a second at the peak"),
    "listeners": (0.1, "share of the sockets that an event goes to"),
    "answer": (8.0, "KiB of an answer"),
    "event_size": (0.5, "KiB of an event"),
    "request_cpu": (60.0, "us of CPU for a JSON answer, under antiphon run, without a store"),
    "handler_cpu": (5000.0, "us of CPU for your own code, with database and templates, in a request"),
    "store_cpu": (45.0, "us of CPU for a command to a store, in the app"),
    "message_cpu": (35.0, "us of CPU for a message on a socket"),
    "socket_memory": (154.0, "KiB of an open socket, under antiphon run"),
    "worker_memory": (70.0, "MiB of a worker; there is one for each processor"),
    "commands": (3.0, "commands of a request: a session read and changed, a limit counted"),
    "write_commands": (2.0, "more commands of a write: its key taken, its answer kept"),
    "command_cpu": (15.0, "us of Valkey's one thread for each of these"),
    "write_command_cpu": (30.0, "us of Valkey's one thread for each of those"),
    "event_cpu": (7.0, "us of Valkey's one thread to take an event, and to give it to one process"),
    "session_size": (0.7, "KiB of a session in Valkey"),
    "write_size": (1.1, "KiB of a write's answer in Valkey, kept for a day"),
}  # fmt: skip
"""The arguments, each with its default and its help text."""


class Load(NamedTuple):
    """The load of a part at the peak, and its capacity."""

    part: str
    unit: str
    asked: float
    has: float

    @property
    def share(self) -> float:
        """The used share of the capacity; 1 is all of it."""
        return self.asked / self.has if self.has > 0 else inf


class Peak(NamedTuple):
    """The busiest second of a day."""

    requests: float
    sockets: float
    events: float


def peak_of(site: Namespace) -> Peak:
    """Return the busiest second."""
    requests = site.users * site.pages / SECONDS_A_DAY * site.peak
    return Peak(requests, site.users * site.online, site.events)


def loads(site: Namespace) -> list[Load]:
    """Return the load of each part, in the busiest second."""
    peak = peak_of(site)
    messages = peak.events * peak.sockets * site.listeners
    return [*_of_machines(site, peak, messages), *_of_valkey(site, peak)]


def _of_machines(site: Namespace, peak: Peak, messages: float) -> Iterable[Load]:
    processes = site.machines * site.cores
    commands = site.commands + site.writes * site.write_commands
    request = site.request_cpu + site.handler_cpu + commands * site.store_cpu
    cpu = peak.requests * request + messages * site.message_cpu + peak.events * processes * site.store_cpu
    yield Load("CPU of the machines", "cores", cpu / 1e6, processes)
    memory = peak.sockets * site.socket_memory / 2**20 + processes * site.worker_memory / 2**10
    yield Load("memory of the machines", "GiB", memory, site.machines * site.memory)
    concurrent = peak.requests * request / 1e6  # requests that are being answered
    yield Load("file descriptors", "files", peak.sockets + concurrent + 50 * processes, site.machines * site.files)
    sent = (peak.requests * site.answer + messages * site.event_size) * 8 / 1000
    yield Load("network of the machines", "Mbit/s", sent, site.machines * site.network)


def _of_valkey(site: Namespace, peak: Peak) -> Iterable[Load]:
    processes = site.machines * site.cores
    writes = peak.requests * site.writes * site.write_commands
    cpu = peak.requests * site.commands * site.command_cpu + writes * site.write_command_cpu
    cpu += peak.events * (1 + processes) * site.event_cpu
    yield Load("Valkey's thread", "cores", cpu / 1e6, 1)
    people = site.users * (1 + (1 - site.returning) * max(site.sessions - 1, 0))
    kept = people * site.session_size + site.users * site.pages * site.writes * site.write_size
    yield Load("Valkey's memory", "GiB", kept / 2**20, site.valkey_memory)
    read = peak.requests * site.commands * site.session_size + peak.events * processes * site.event_size
    yield Load("Valkey's network", "Mbit/s", read * 8 / 1000, site.network)


def most(site: Namespace) -> float:
    """Return the factor by which users can grow before the first part reaches its limit. Events stay as they are."""
    low, high = 0.0, 1.0
    while _carries(site, high) and high < 1e6:
        low, high = high, 2 * high
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if _carries(site, middle) else (low, middle)
    return low


def _carries(site: Namespace, times: float) -> bool:
    return all(load.share <= 1 for load in loads(_with(site, users=site.users * times)))


def _with(site: Namespace, **changes: float) -> Namespace:
    return Namespace(**{**vars(site), **changes})


def table(site: Namespace) -> str:
    """Return the loads as a table, and the first limit with so many machines, and with up to eight times as many."""
    peak = peak_of(site)
    lines = [
        f"{site.users:,.0f} users a day, {site.machines:.0f} machines of {site.cores:.0f} processors, one Valkey.",
        f"At the peak {peak.requests:,.0f} requests a second, {peak.sockets:,.0f} sockets, {peak.events:,.0f} events.",
        "",
        f"{'part':<26}{'asked':>10}{'has':>10}{'':>8}share",
    ]
    lines += [
        f"{load.part:<26}{load.asked:>10,.2f}{load.has:>10,.0f} {load.unit:<7}{load.share:>5.0%}"
        for load in sorted(loads(site), key=lambda load: -load.share)
    ]
    lines += ["", f"{'machines':>8}{'users a day':>14}{'requests/s':>12}{'sockets':>10}  ends first"]
    lines += [_row(_with(site, machines=site.machines * times)) for times in (1, 2, 4, 8)]
    return "\n".join(lines)


def _row(site: Namespace) -> str:
    """Return the number of users that these machines can serve, and the first limit."""
    full = _with(site, users=site.users * most(site))
    first = max(loads(full), key=lambda load: load.share)
    peak = peak_of(full)
    return f"{full.machines:>8.0f}{full.users:>14,.0f}{peak.requests:>12,.0f}{peak.sockets:>10,.0f}  {first.part}"


def read(arguments: list[str] | None = None) -> Namespace:
    """Read the command line. Negative numbers are refused."""
    title, _, more = (__doc__ or "").partition("\n\n")
    parser = ArgumentParser(description=title, epilog=more, formatter_class=ArgumentDefaultsHelpFormatter)
    for name, (default, text) in SETTINGS.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=float, default=default, help=text, metavar="N")
    site = parser.parse_args(arguments)
    for name, value in vars(site).items():
        least = 1 if name in ("machines", "cores") else 0
        if not least <= value < inf:
            parser.error(f"--{name.replace('_', '-')} must be at least {least}, not {value:g}")
    return site


if __name__ == "__main__":
    print(table(read()))  # noqa: T201 - its output
