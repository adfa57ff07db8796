"""One application for each framework with the same page: a table of 100 rows, whole and as a part."""

from pathlib import Path

FOLDER = Path(__file__).parent / "templates"

ROWS = [
    {"id": number, "name": f"Lamp no. {number} <brass & glass>", "price": 9.9 + number, "is_new": number % 7 == 0}
    for number in range(100)
]
