"""One application for each framework with the same page: a table of rows, whole and as a part."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace

FOLDER = Path(__file__).parent / "templates"

LAMPS = [
    {"id": number, "name": f"Lamp no. {number} <brass & glass>", "price": 9.9 + number, "is_new": number % 7 == 0}
    for number in range(100)
]
TABLES: Mapping[str, Sequence[object]] = {"lamps": LAMPS, "objects": [SimpleNamespace(**lamp) for lamp in LAMPS[:50]]}
"""Rows by the path at which they are: dicts, and objects with attributes, such as an ORM has."""
