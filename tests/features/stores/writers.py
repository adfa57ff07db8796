"""Processes that write to one entry: they are forked from one that uses the store already."""

import os
import sys
import warnings

from tests.helpers.stores import store_at


def main(where, prefix, count):
    """Fork the writers, and return how many of them failed."""
    store = store_at(where, timeout=30, **({} if where.startswith("postgres") else {"prefix": prefix}))
    store.change("key", {"start": 0}, ttl=10_000)
    warnings.simplefilter("ignore", DeprecationWarning)  # from Python 3.12 on, of forks in processes of several threads
    children = [os.fork() or write(store, number) for number in range(int(count))]
    failed = sum(os.waitpid(child, 0)[1] != 0 for child in children)
    store.change("key", {}, ttl=10_000)
    store.close()
    return failed


def write(store, number):
    """Be one writer, and end."""
    code = 1
    try:
        for value in range(4):
            store.change("key", {f"writer {number}": value, f"gone {number}": 1}, ttl=10_000)
        store.change("key", {}, remove=[f"gone {number}"], ttl=10_000)
        code = 0
    finally:
        os._exit(code)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
