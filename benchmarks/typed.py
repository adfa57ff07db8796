"""`python -m benchmarks.typed`: JSON read, as values of a type and as dicts, beside msgspec by itself.

Fails where `json_as` or `decode_json` takes more times as long as msgspec's decoder of the same bytes than the case
allows. msgspec leaves defaults of dataclasses on the class. Both take turns, and the least time of each counts.
"""

import gc
import sys
from collections.abc import Callable
from dataclasses import dataclass
from time import process_time_ns
from typing import Any, NamedTuple

import msgspec

from antiphon.serialization.json import decode_json
from antiphon.serialization.readers import json_as

ROUNDS = 200
LEAST_ROUNDS = 10
MOST_TIME = 2_000_000_000
"""Nanoseconds that a case should take where rounds are long."""
ROUND = 1_000_000
"""Nanoseconds that a round should take."""


@dataclass
class Line:
    article: str
    title: str
    price: float
    quantity: int = 1
    note: str | None = None


class SmallLine(msgspec.Struct):
    """A line as a Struct, which has its defaults."""

    article: str
    title: str
    price: float
    quantity: int = 1
    note: str | None = None


@dataclass
class Order:
    id: int
    lines: list[Line]
    currency: str = "EUR"
    paid: bool = False


def lines(count: int) -> list[dict[str, Any]]:
    """Lines of which every third has a note with quotes in it."""
    return [
        {"article": f"LMP-{number:05}", "title": "Desk lamp, brass, with a dimmer", "price": 19.5 + number}
        | {"quantity": 1 + number % 3, "note": None if number % 3 else 'a gift: "for you"'}
        for number in range(count)
    ]


class Case(NamedTuple):
    """A type, a value that fits it, and how many times as long as msgspec alone reading it may take."""

    wanted: Any
    value: object
    limit: float


CASES = {
    "nested": Case(Order, {"id": 4711, "lines": lines(10), "currency": "USD"}, 1.5),
    "list of 100": Case(list[Line], lines(100), 1.5),
    "60 kB": Case(list[Line], lines(500), 1.35),
    "60 kB, Structs": Case(list[SmallLine], lines(500), 1.35),
    "60 kB, dicts": Case(None, lines(500), 1.25),
    "600 kB": Case(list[Line], lines(5000), 1.35),
    "600 kB, dicts": Case(None, lines(5000), 1.25),
    "10 MB, dicts": Case(None, lines(85_000), 1.25),
}


def nanoseconds(calls: int, decode: Callable[..., object], *arguments: Any) -> float:
    start = process_time_ns()
    for _ in range(calls):
        decode(*arguments)
    return (process_time_ns() - start) / calls


def compare(wanted: Any, text: bytes) -> tuple[float, float]:
    """Return the nanoseconds that msgspec takes, and how many times as long Antiphon does."""
    theirs = msgspec.json.Decoder(Any if wanted is None else wanted).decode
    ours: tuple[Any, ...] = (decode_json, text) if wanted is None else (json_as, text, wanted)
    decode, *arguments = ours
    if theirs(text) != decode(*arguments):
        raise SystemExit("Antiphon and msgspec read different values")

    single = nanoseconds(2, theirs, text)
    calls = max(1, int(ROUND / single))
    rounds = min(ROUNDS, max(LEAST_ROUNDS, int(MOST_TIME / 2 / calls / single)))
    gc.collect()
    gc.disable()  # it looks at all that a large text has become, whenever it wants
    samples = [(nanoseconds(calls, theirs, text), nanoseconds(calls, *ours)) for _ in range(rounds)]
    gc.enable()
    alone, of_ours = map(min, zip(*samples, strict=True))
    return alone, of_ours / alone


def main() -> int:
    missed = []
    for name, (wanted, value, limit) in CASES.items():
        time, ratio = compare(wanted, msgspec.json.encode(value))
        print(f"{name:15}{time / 1000:10.2f} us by msgspec{ratio:8.2f} times that by Antiphon", flush=True)
        if ratio > limit:
            missed.append(f"{name} takes more than {limit} times as long as msgspec by itself")
    for miss in missed:
        print(f"TOO SLOW: {miss}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
