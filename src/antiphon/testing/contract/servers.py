"""The servers that are tested, how each is started, and what it does otherwise than it should.

What is not said here is as it should be: a ``Probe`` has its best answer, a ``BadInput`` its usual status.
"""

from collections.abc import Mapping
from typing import NamedTuple


class Server(NamedTuple):
    """A server: its name, the arguments to Python that start it, and what is known of it.

    ``gaps`` are its answers to probes, ``refusals`` what it answers to bad input, by their names.
    """

    name: str
    command: tuple[str, ...]
    gaps: Mapping[str, str]
    refusals: Mapping[str, str]


def _granian(interface: str) -> tuple[str, ...]:
    return ("-m", "antiphon", "run", "{app}", "--interface", interface, "--port", "{port}")


def _uvicorn(parser: str) -> tuple[str, ...]:
    return ("-m", "uvicorn", "{app}", "--http", parser, "--port", "{port}")


def _gunicorn(*options: str) -> tuple[str, ...]:
    return ("-m", "gunicorn", "{app}", *options, "--bind", "127.0.0.1:{port}")


SERVERS: Mapping[str, Server] = {}
