"""`python -m benchmarks.valkey_costs`: the CPU that a command takes of Valkey and of this process, and the memory kept.

The server is the one that is given as a URL, which others should leave alone meanwhile, or one that this starts.
"""

import argparse
import resource
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from redis import Redis

from antiphon.features import ValkeyStore

from .stores import SESSION, TTL, valkey

CLAIM = {"state": "running", "caller": "c" * 64, "fingerprint": "f" * 64}
Step = Callable[[int], object]


def steps(store: ValkeyStore, server: Redis) -> dict[str, Step]:
    """Return what features do for a request, and what sends an event, by a number that makes keys."""
    return {
        "session begun": lambda number: store.change(f"s{number}", SESSION, ttl=TTL),
        "session read": lambda number: store.load(f"s{number}"),
        "session changed": lambda number: store.change(f"s{number}", {"theme": "light"}, ttl=TTL),
        "limit counted": lambda _: store.increment("192.0.2.1", ttl=TTL),
        "write claimed": lambda number: store.add(f"w{number}", CLAIM, ttl=TTL),
        "event sent": lambda _: server.xadd("news", {"data": "x" * 200}, maxlen=1000),
        "event read": lambda _: server.xread({"news": "0-0"}, count=1),
    }


def cost(step: Step, server: Redis, calls: int) -> tuple[float, float, float]:
    """Return microseconds of the server's CPU, of this process's, and bytes that stay, for a call."""
    for number in range(calls // 10):
        step(-number)
    before = _used(server)
    for number in range(calls):
        step(number)
    served, own, memory = (after - then for after, then in zip(_used(server), before, strict=True))
    return served / calls * 1e6, own / calls * 1e6, memory / calls


def _used(server: Redis) -> tuple[float, float, float]:
    told = {**server.info("cpu"), **server.info("memory")}
    own = resource.getrusage(resource.RUSAGE_SELF)
    return told["used_cpu_user"] + told["used_cpu_sys"], own.ru_utime + own.ru_stime, told["used_memory"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--valkey", metavar="URL")
    parser.add_argument("--calls", type=int, default=4000)
    given = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = given.valkey or stack.enter_context(valkey(folder))
        if url is None:
            sys.exit("There is no valkey-server or redis-server here: install one, or say --valkey URL.")
        server = stack.enter_context(Redis.from_url(url))
        print(f"{'':18}{'us of Valkey':>14}{'us of the app':>15}{'bytes kept':>12}")
        for name, step in steps(ValkeyStore(url), server).items():
            print("{:18}{:>14.1f}{:>15.1f}{:>12.0f}".format(name, *cost(step, server, given.calls)))


if __name__ == "__main__":
    main()
