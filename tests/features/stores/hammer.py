"""Processes of five threads each that write to one file, end as they should, and are replaced.

Each thread notes what was acknowledged to it, so that a process that looks later can tell what is missing.
"""

import json
import os
import random
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

from antiphon.features import SQLiteStore, StoreUnavailable

THREADS = 5
LONGEST_LIFE = 0.5
"""Seconds after which a process ends, at most."""
TTL = 10_000.0


def main(path, notes, processes, seconds):
    """Keep that many processes alive for some seconds, and return how many failed."""
    end = time.monotonic() + float(seconds)
    alive = {start(path, notes, end) for _ in range(int(processes))}
    failed = 0
    while alive:
        ended, status = os.wait()
        alive.remove(ended)
        failed += status != 0
        if time.monotonic() < end:
            alive.add(start(path, notes, end))
    return failed


def start(path, notes, end):
    """Fork a process, which ends by itself; return its id."""
    if child := os.fork():
        return child
    end = min(end, time.monotonic() + random.uniform(0, LONGEST_LIFE))
    with closing(SQLiteStore(path, timeout=30)) as store, ThreadPoolExecutor(THREADS) as threads:
        writers = [threads.submit(write, store, f"{os.getpid()} {number}", end) for number in range(THREADS)]
    with open(notes, "a") as file:  # O_APPEND
        file.write("".join(f"{json.dumps(writer.result())}\n" for writer in writers))
    sys.exit()


def write(store, name, end):
    """Write until the end, and return what was acknowledged."""
    noted = {"name": name, "last": None, "counted": 0, "claims": [], "errors": []}
    number = 0
    while time.monotonic() < end:
        number += 1
        try:
            store.change(name, {"number": number, "text": "x" * (number * 37 % 3000)}, ttl=TTL)
            noted["last"] = number
            found = store.load(name)
            if found is None or found.data["number"] != number:
                noted["errors"].append(f"{number} was written, and {found} was read")
            store.increment("all", ttl=TTL)
            noted["counted"] += 1
            claim = f"{time.monotonic():.2f}"
            if store.add(claim, {}, ttl=TTL):
                noted["claims"].append(claim)
        except StoreUnavailable as error:
            noted["errors"].append(repr(error.__cause__))
    return noted


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
