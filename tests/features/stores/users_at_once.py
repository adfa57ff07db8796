"""Users of one store on several threads, which print what the store has told them."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

from tests.helpers.stores import store_at

LONG = 10_000.0


def opened(where, prefix):
    """The store at a URL, or in a file."""
    return store_at(where, timeout=30, **({} if where.startswith("postgres") else {"prefix": prefix}))


def use_on_threads(store, threads, turns):
    """Have as many users as threads take turns; return what all of them were told, by what they did."""
    store.add("replaced", {"number": 0}, ttl=LONG)
    with ThreadPoolExecutor(threads) as pool:
        told = [*pool.map(lambda _: use(store, turns), range(threads))]
    return {what: [each for one in told for each in one[what]] for what in told[0]}


def use(store, turns):
    """Do everything that of many who do it at once only one may succeed in, or has to be told a result of its own."""
    told = {"counts": [], "claimed": [], "replaced": [], "deleted": [], "rotated": []}
    for turn in range(turns):
        told["counts"].append(store.increment("counter", ttl=LONG).value)
        if store.add(f"claimed {turn}", {}, ttl=LONG):
            told["claimed"].append(turn)
            for what in "rotated", "deleted":
                store.add(f"{what} {turn}", {}, ttl=LONG)
        told["replaced"].append(replace(store))
        if store.rotate(f"rotated {turn}", store.new_key()):
            told["rotated"].append(turn)
        if store.delete(f"deleted {turn}"):
            told["deleted"].append(turn)
    return told


def replace(store):
    """Add 1 to a number, by a version that nobody else has changed."""
    while True:
        known = store.load("replaced")
        number = known.data["number"] + 1
        if store.replace("replaced", {"number": number}, version=known.version, ttl=LONG):
            return number


if __name__ == "__main__":
    where, prefix, threads, turns = sys.argv[1:]
    with closing(opened(where, prefix)) as store:
        sys.stdout.write(json.dumps(use_on_threads(store, int(threads), int(turns))))
