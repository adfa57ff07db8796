import json
from dataclasses import dataclass
from typing import Any

from msgspec import Struct

from antiphon.http.multidict import MultiDict
from antiphon.serialization.json import encode_json
from antiphon.serialization.readers import fields_as, json_as
from tests.helpers.rows import rows
from tests.serialization.named_faults import faults, unprocessable

HUGE = "k" * (1 << 20)


class Closed(Struct, forbid_unknown_fields=True):
    a: int = 0


@dataclass
class Quoting:
    text: str

    def __post_init__(self):
        raise ValueError(f"{self.text} won't do")


def refused(value: Any, wanted: Any) -> list[dict[str, str]]:
    errors: Any = unprocessable(json_as, json.dumps(value, ensure_ascii=False).encode(), wanted).members["errors"]
    return errors


def nested(value: Any, name: str, times: int) -> Any:
    return value if times == 0 else {name: nested(value, name, times - 1)}


def dicts(wanted: Any, times: int) -> Any:
    return wanted if times == 0 else dicts(dict[str, wanted], times - 1)


@rows(
    "value, wanted",
    ({HUGE: ["x"] * 100}, dict[str, list[int]]),
    ({"\1" * 300: ["x"] * 100}, dict[str, list[int]]),
    (nested(["x"] * 200, "\1" * 300, 6), dicts(list[int], 6)),
    (nested(["x"] * 200, "\U0001f600" * 300, 12), dicts(list[int], 12)),
    ({f"{number}{HUGE[:5000]}": 1 for number in range(200)}, Closed),
    ({f"{number}{HUGE[:5000]}": 1 for number in range(200)}, dict[int, int]),
    (nested([{HUGE: 1}] * 100, "a", 40), dicts(list[Closed], 40)),
    ([{"text": HUGE[:5000]}] * 100, list[Quoting]),
    ids=range(8),
)
def test_an_error_is_small_however_long_the_names_and_values_are_that_a_client_sent(value, wanted):
    assert len(encode_json(refused(value, wanted))) < 150 << 10


def test_of_a_long_name_the_beginning_is_named():
    assert refused({"a/" + HUGE: ["x"]}, dict[str, list[int]]) == [
        {"pointer": "/a~1" + "k" * 198 + "…/0", "detail": "expected an integer, got a string", "code": "not_an_integer"}
    ]
    assert refused({HUGE: 1}, Closed) == [{"pointer": f"/{HUGE[:200]}…", "detail": "is unknown", "code": "unknown"}]
    assert refused({"text": HUGE}, Quoting) == [{"pointer": "", "detail": HUGE[:1024] + "…", "code": "invalid"}]


def test_names_of_200_characters_and_pointers_of_1024_are_named_in_full():
    names = ["k" * 200] * 5 + ["m" * 18]
    value: Any = "x"
    for name in reversed(names):
        value = {name: value}
    pointer = "".join(f"/{name}" for name in names)
    assert [fault["pointer"] for fault in refused(value, dicts(int, 6))] == [pointer]
    assert len(pointer) == 1024


def test_names_of_a_form_are_shortened_likewise():
    caught = unprocessable(fields_as, MultiDict([(HUGE, "1")]), Closed, "form")
    assert faults(caught) == {f"/{HUGE[:200]}…": "is unknown"}


def test_where_the_list_is_full_before_a_hundred_the_detail_says_how_many_there_are():
    value = nested(["x"] * 90, "\1" * 300, 6)
    caught = unprocessable(json_as, json.dumps(value).encode(), dicts(list[int], 6))
    listed: Any = caught.members["errors"]
    assert 10 < len(listed) < 90
    assert caught.detail == f"90 fields are wrong, of which the first {len(listed)} are listed"
