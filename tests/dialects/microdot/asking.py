"""Asks a server on this machine, as soon as it is there."""

import time
from urllib.request import urlopen


def wait_for(port):
    for _ in range(300):
        try:
            return ask(port, "/")
        except OSError:
            time.sleep(0.05)
    raise TimeoutError(port)


def ask(port, path):
    with urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as response:
        return response.read().decode()
