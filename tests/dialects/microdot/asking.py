"""Asks a server on this machine, as soon as it is there."""

from contextlib import suppress
from urllib.request import urlopen

from tests.helpers.waiting import eventually


def wait_for(port):
    return eventually(lambda: ask_if_there(port), f"nobody answers on port {port}")


def ask_if_there(port):
    with suppress(OSError):
        return ask(port, "/")
    return None


def ask(port, path):
    with urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as response:
        return response.read().decode()
