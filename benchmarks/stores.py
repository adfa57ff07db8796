"""`python -m benchmarks.stores`: what a load, a change and a count take in each store, and what they take of Valkey.

First the microseconds on one thread, then how many all of eight threads do each second and how long the slowest of a
hundred takes, side by side, then the CPU that a command takes of Valkey and of this process, and the memory kept.
SQLite writes to the folder that is given, or to a temporary one. Valkey and PostgreSQL are the servers that are given
as URLs, which others should leave alone meanwhile, or ones that this starts.
"""

import argparse
import resource
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import perf_counter, sleep

from redis import Redis

from antiphon.features import CookieStore, MemoryStore, PostgresStore, SQLiteStore, Store, ValkeyStore

SESSION = {"user": 4711, "csrf": "x" * 43, "theme": "dark", "cart": [{"id": number, "n": 1} for number in range(5)]}
CLAIM = {"state": "running", "caller": "c" * 64, "fingerprint": "f" * 64}
TTL = 3600.0
ROUNDS = 7
THREADS = 8
Step = Callable[[int], object]


@contextmanager
def valkey(folder: Path) -> Iterator[str | None]:
    """Start a server, and give its URL; None without a program."""
    program = shutil.which("valkey-server") or shutil.which("redis-server")
    if program is None:
        yield None
        return
    socket = folder / "valkey.sock"
    command = [program, "--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        while not socket.exists():
            sleep(0.01)
        yield f"unix://{socket}"
        process.kill()


def microseconds(call: Callable[[], object], calls: int) -> float:
    """The least time of a call, of several rounds."""
    times = []
    for _ in range(ROUNDS):
        start = perf_counter()
        for _ in range(calls):
            call()
        times.append(perf_counter() - start)
    return min(times) / calls * 1e6


def times(store: Store, calls: int) -> list[str]:
    """The times of a load, of a change and of a count; a dash for those that a store can't do."""
    entry = store.change(store.new_key(), SESSION, ttl=TTL)
    assert entry is not None
    key = entry.key
    found = [
        microseconds(lambda: store.load(key), calls),
        microseconds(lambda: store.change(key, {"theme": "light"}, ttl=TTL), calls),
        *([microseconds(lambda: store.increment("192.0.2.1", ttl=TTL), calls)] if store.is_server_side else []),
    ]
    return [*(f"{time:.1f}" for time in found), "-"][:3]


@contextmanager
def postgres() -> Iterator[str | None]:
    """Start a server that writes to its disk as usual, and give its URL; None without a program."""
    from tests.helpers.postgres import PostgresServer
    from tests.helpers.system_programs import PLACES

    program = shutil.which("postgres", path=PLACES)
    if program is None:
        yield None
        return
    with PostgresServer(program, fsync="on", shared_buffers="128MB") as server:
        yield server.url


def side_by_side(stores: list[Store], seconds: float) -> Iterator[str]:
    """Yield a line for each store: how many a second all threads do, and the 99th percentile in milliseconds."""
    calls: dict[str, Callable[[Store, str], object]] = {
        "load": lambda store, _: store.load("session"),
        "change": lambda store, name: store.change(f"of {name.split()[0]}", {"theme": "light"}, ttl=TTL),
        "add": lambda store, name: store.add(name, CLAIM, ttl=TTL),
        "count": lambda store, name: store.increment(f"of {name.split()[0]}", ttl=TTL),
    }
    for threads in 1, THREADS:
        yield f"\n{f'{threads} threads':16}" + "".join(f"{name:>10}{'p99':>8}" for name in calls)
        for store in stores:
            figures = [_load(store, call, threads, seconds) for call in calls.values()]
            yield f"{type(store).__name__:16}" + "".join(f"{rate:>10,.0f}{slow:>8.2f}" for rate, slow in figures)


def _load(store: Store, call: Callable[[Store, str], object], threads: int, seconds: float) -> tuple[float, float]:
    store.change("session", SESSION, ttl=TTL)
    begin = perf_counter()

    def run(thread: int) -> list[float]:
        took = []
        while (start := perf_counter()) < begin + seconds:
            call(store, f"{thread} {start}")
            took.append(perf_counter() - start)
        return took

    with ThreadPoolExecutor(threads) as pool:
        took = sorted(each for some in pool.map(run, range(threads)) for each in some)
    return len(took) / seconds, took[len(took) * 99 // 100] * 1000


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
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stores", description=__doc__)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--valkey", metavar="URL")
    parser.add_argument("--postgres", metavar="URL")
    parser.add_argument("--calls", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=2.0, help="for each figure of the stores side by side")
    given = parser.parse_args()
    with ExitStack() as stack:
        folder = given.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = given.valkey or stack.enter_context(valkey(folder))
        database = given.postgres or stack.enter_context(postgres())
        stores: list[Store] = [MemoryStore(), SQLiteStore(folder / "store.db")]
        stores += [*([PostgresStore(database)] if database else []), *([ValkeyStore(url)] if url else [])]
        print(f"{'':16}{'load':>10}{'change':>10}{'count':>10}  microseconds")
        for store in [CookieStore(["k" * 32]), *stores]:
            stack.callback(store.close)
            print(f"{type(store).__name__:16}" + "".join(f"{time:>10}" for time in times(store, given.calls)))
        for line in side_by_side(stores, given.seconds):
            print(line)
        if url is None:
            parser.exit(0, "There is no valkey-server or redis-server here: install one, or say --valkey URL.\n")
        server = stack.enter_context(Redis.from_url(url))
        print(f"\n{'':18}{'us of Valkey':>14}{'us of the app':>15}{'bytes kept':>12}")
        for name, step in steps(ValkeyStore(url), server).items():
            print("{:18}{:>14.1f}{:>15.1f}{:>12.0f}".format(name, *cost(step, server, 4 * given.calls)))


if __name__ == "__main__":
    main()
