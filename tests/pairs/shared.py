"""What the workers of a served program share: lists in files, of the effects and of the streams that are open."""

import json
import os
import signal
from collections import Counter
from pathlib import Path

from antiphon import current_request
from antiphon.http.head import server_head
from antiphon.http.reads import UNRECORDED

FOLDER = "PAIRS"
"""The environment variable with the folder of a served program."""


def folder() -> Path:
    """Return the folder of the program."""
    return Path(os.environ[FOLDER])


class SharedList:
    """A list in a file of the folder. What is appended is there before this returns, whoever is killed then."""

    def __init__(self, name: str) -> None:
        self._path = folder() / name

    def append(self, value: object) -> None:
        """Add a value that JSON has."""
        with self._path.open("ab", buffering=0) as file:
            file.write(json.dumps(value).encode() + b"\n")

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __iter__(self):
        values = map(json.loads, self._path.read_text().splitlines() if self._path.exists() else ())
        return (tuple(value) if isinstance(value, list) else value for value in values)

    def __getitem__(self, part):
        return [*self][part]


class OpenStreams(SharedList):
    """The names of the routes whose streams are open."""

    def append(self, value: object) -> None:
        super().append([value, 1])

    def remove(self, value: object) -> None:
        """Remove a name, unless the request kills its worker here."""
        die_at("stream")
        super().append([value, -1])

    def __iter__(self):
        counts = Counter()
        for name, count in super().__iter__():
            counts[name] += count
        return counts.elements()


def field(name: str) -> str | None:
    """Return a field of the request that this process handles, as if nobody had read it."""
    head = server_head(current_request().head)
    reads, head.reads = head.reads, UNRECORDED
    try:
        return head.field(name)
    finally:
        head.reads = reads


def die_at(place: str) -> None:
    """Kill this process, if the request that it handles says so for this place."""
    if field("x-die") == place:
        os.kill(os.getpid(), signal.SIGKILL)
