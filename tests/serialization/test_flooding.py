import json
import uuid
from decimal import Decimal
from typing import Any

from msgspec import Struct

from antiphon.serialization.readers import json_as
from tests.helpers.rows import rows
from tests.serialization.named_faults import faults, unprocessable

MODULUS = 2**61 - 1
"""Of Python's hash of numbers, where a pointer has 64 bits."""

ALIKE = [number * MODULUS for number in range(1, 700)]
UUIDS = [str(uuid.UUID(int=number)) for number in ALIKE]


class Order(Struct):
    ids: set[uuid.UUID] | None = None


@rows(
    "text, wanted",
    (json.dumps(ALIKE), set[int]),
    (json.dumps([-number - 7 for number in ALIKE]), frozenset[int]),
    (json.dumps([float(7), *ALIKE]), set[Any]),
    (json.dumps([[number, 1] for number in ALIKE]), set[tuple[int, int]]),
    (json.dumps([f"{number}.5" for number in ALIKE]), set[Decimal]),
    (json.dumps(dict.fromkeys(map(str, ALIKE))), dict[int, None]),
    (json.dumps(UUIDS), set[uuid.UUID]),
    (json.dumps([text.replace("-", "").upper() for text in UUIDS]), set[uuid.UUID]),
    (json.dumps(UUIDS).replace('"0', r'"\u0030'), set[uuid.UUID]),
    (f'[{{"ids": {json.dumps(UUIDS)}, "ids": []}}]', list[Order]),
    ids=range(10),
)
def test_numbers_chosen_to_have_the_same_hash_are_refused_where_a_set_would_be_made_of_them(text, wanted):
    assert faults(unprocessable(json_as, text.encode(), wanted)) == {"": "too many numbers have the same hash"}


@rows(
    "value, wanted, size",
    (ALIKE, list[int], 699),
    (UUIDS, set[str], 699),
    (dict.fromkeys(UUIDS, 1), dict[str, int], 699),
    ([7 * MODULUS] * 700, set[int], 1),
    ([2**70 + number for number in range(5000)], set[int], 5000),
    ([str(uuid.UUID(int=number * 2**64)) for number in range(5000)], set[uuid.UUID], 5000),
    ([f"no number, but as long as one: {number:040}x" for number in range(700)], set[int | str], 700),
    (ALIKE[:90], set[int], 90),
    ids=range(8),
)
def test_other_numbers_are_read_and_so_are_those_of_which_no_set_is_made(value, wanted, size):
    assert len(json_as(json.dumps(value).encode(), wanted)) == size
