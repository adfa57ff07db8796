"""`python -m benchmarks.typed`: dataclasses with defaults out of JSON, beside msgspec by itself.

Fails where `json_as` takes more than 1.5 times as long as `msgspec.json.Decoder(type).decode` of the same bytes, which
leaves defaults on the class. Both take turns, and the least time of each counts.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter_ns
from typing import Any

import msgspec

from antiphon.serialization.readers import json_as

LIMIT = 1.5
ROUNDS = 200
ROUND = 1_000_000
"""Nanoseconds that a round should take."""


@dataclass
class Address:
    street: str
    city: str
    country: str = "DE"


@dataclass
class Customer:
    name: str
    email: str
    street: str
    city: str
    country: str = "DE"
    company: str | None = None
    phone: str | None = None
    language: str = "en"
    newsletter: bool = False
    tags: list[str] = field(default_factory=list)


@dataclass
class Line:
    article: str
    title: str
    price: float
    quantity: int = 1
    note: str | None = None


@dataclass
class Order:
    id: int
    customer: Customer
    delivery: Address
    lines: list[Line]
    invoice: Address | None = None
    currency: str = "EUR"
    paid: bool = False


ADDRESS = {"street": "Lindenallee 12", "city": "Bremen"}
CUSTOMER = ADDRESS | {"name": "Grace Hopper", "email": "grace@example.com", "language": "de", "tags": ["navy", "cobol"]}
LINES = [
    {"article": f"LMP-{number:05}", "title": "Desk lamp, brass", "price": 19.5 + number}
    | ({"quantity": 3} if number % 2 else {})
    for number in range(100)
]
ORDER = {"id": 4711, "customer": CUSTOMER, "delivery": ADDRESS, "lines": LINES[:10], "currency": "USD"}
CASES: dict[str, tuple[Any, object]] = {
    "flat": (Customer, CUSTOMER),
    "nested": (Order, ORDER),
    "list of 100": (list[Line], LINES),
}


def nanoseconds(calls: int, decode: Callable[..., object], *arguments: Any) -> float:
    start = perf_counter_ns()
    for _ in range(calls):
        decode(*arguments)
    return (perf_counter_ns() - start) / calls


def compare(wanted: Any, text: bytes) -> tuple[float, float]:
    """Return the nanoseconds that msgspec takes, and how many times as long `json_as` does."""
    theirs = msgspec.json.Decoder(wanted).decode
    if theirs(text) != json_as(text, wanted):
        raise SystemExit("json_as and msgspec read different values")

    calls = max(1, int(ROUND / nanoseconds(10, theirs, text)))
    rounds = [(nanoseconds(calls, theirs, text), nanoseconds(calls, json_as, text, wanted)) for _ in range(ROUNDS)]
    alone, ours = map(min, zip(*rounds, strict=True))
    return alone, ours / alone


def main() -> int:
    missed = []
    for name, (wanted, value) in CASES.items():
        time, ratio = compare(wanted, msgspec.json.encode(value))
        print(f"{name:15}{time / 1000:10.2f} us by msgspec{ratio:8.2f} times that by json_as")
        if ratio > LIMIT:
            missed.append(name)
    for name in missed:
        print(f"TOO SLOW: {name} takes more than {LIMIT} times as long as msgspec by itself")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
