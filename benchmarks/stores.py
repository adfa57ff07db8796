"""`python -m benchmarks.stores`: microseconds a load, a change and a count take in each store, on one thread.

SQLite writes to the folder that is given, or to a temporary one. Valkey is the server that is given as a URL, or one
that this starts if there is a program for it.
"""

import argparse
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import perf_counter, sleep

from antiphon.features import CookieStore, MemoryStore, SQLiteStore, Store, StoreUnavailable, ValkeyStore

SESSION = {"user": 4711, "csrf": "x" * 43, "theme": "dark", "cart": [{"id": number, "n": 1} for number in range(5)]}
TTL = 3600.0
ROUNDS = 7


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


def measure(store: Store, calls: int) -> list[float | None]:
    """The times of a load, of a change and of a count; None for those that a store can't do."""
    entry = store.change(store.new_key(), SESSION, ttl=TTL)
    assert entry is not None
    key = entry.key
    return [
        microseconds(lambda: store.load(key), calls),
        microseconds(lambda: store.change(key, {"theme": "light"}, ttl=TTL), calls),
        microseconds(lambda: store.increment("192.0.2.1", ttl=TTL), calls) if store.is_server_side else None,
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--valkey", metavar="URL")
    parser.add_argument("--calls", type=int, default=1000)
    given = parser.parse_args()
    with ExitStack() as stack:
        folder = given.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = given.valkey or stack.enter_context(valkey(folder))
        stores: list[Store] = [MemoryStore(), CookieStore(["k" * 32]), SQLiteStore(folder / "store.db")]
        print(f"{'':16}{'load':>10}{'change':>10}{'count':>10}  microseconds")
        for store in [*stores, *([ValkeyStore(url)] if url else [])]:
            stack.callback(store.close)
            try:
                times = measure(store, given.calls)
            except StoreUnavailable as error:
                parser.exit(1, f"{type(store).__name__}: {error.__cause__}\n")
            print(
                f"{type(store).__name__:16}"
                + "".join(f"{'-' if time is None else f'{time:.1f}':>10}" for time in times)
            )


if __name__ == "__main__":
    main()
