"""Free ports for servers that can't choose one themselves."""

import itertools
import os
import random
import socket
from collections.abc import Iterator

HOST = "127.0.0.1"


def _candidates() -> Iterator[int]:
    """Yield ports again and again: each process of the tests has others, below those that connections get."""
    processes = 32
    number = int(os.environ.get("TESTS_GROUP", "0")) % processes
    ports = range(10_000 + number, 32_000, processes)
    first = random.randrange(len(ports))
    return itertools.cycle([*ports[first:], *ports[:first]])


_ports = _candidates()


def free_port() -> int:
    """Return a port on which nobody listens, and which no other test gets until its server has started."""
    for port in _ports:
        try:
            socket.create_server((HOST, port)).close()
        except OSError:
            continue
        return port
    raise AssertionError("the ports never end")
