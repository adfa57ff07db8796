import dataclasses
from typing import Annotated, NamedTuple, TypedDict

import pytest
from msgspec import Meta, Struct

from antiphon.http.multidict import MultiDict
from antiphon.serialization.readers import fields_as, json_as
from tests.helpers.rows import rows
from tests.serialization.named_faults import faults, unprocessable


class File:
    def __init__(self, name):
        self.name = name

    def __bool__(self):
        return self.name != "blank"


class Picture(File):
    pass


ONE, TWO, PICTURE, BLANK = File("one"), File("two"), Picture("picture"), Picture("blank")


@dataclasses.dataclass
class Letter:
    title: str
    scan: File
    photo: Picture | None = None
    more: list[File] = dataclasses.field(default_factory=list)


class Strict(Struct, forbid_unknown_fields=True, rename={"scan": "the-scan"}):
    scan: File
    pages: int = 1


class Loose(TypedDict, total=False):
    scan: File
    more: Annotated[tuple[File, ...], Meta(min_length=2)]


class Row(NamedTuple):
    scan: File
    more: set[File] | None


def read(wanted, fields=(), files=()):
    return fields_as(MultiDict(fields), wanted, "form", files=MultiDict(files), file_type=File)


@rows(
    "wanted, fields, files, value",
    (Letter, {"title": "a"}, {"scan": ONE}, Letter("a", ONE)),
    (Letter, {"title": "a"}, [("scan", ONE), ("scan", TWO)], Letter("a", TWO)),
    (Letter, {"title": "a"}, [("scan", ONE), ("scan", "no file")], Letter("a", ONE)),
    (Letter, {"title": "a"}, {"scan": PICTURE, "photo": PICTURE}, Letter("a", PICTURE, PICTURE)),
    (Letter, {"title": "a"}, {"scan": ONE, "photo": ONE}, Letter("a", ONE)),
    (Letter, {"title": "a", "photo": ""}, {"scan": ONE}, Letter("a", ONE)),
    (Letter, {"title": "a"}, [("more", ONE), ("scan", ONE), ("more", TWO)], Letter("a", ONE, more=[ONE, TWO])),
    (Letter, {"title": "a"}, {"scan": ONE, "unknown": TWO}, Letter("a", ONE)),
    (Letter, {"title": "a"}, [("scan", ONE), ("scan", BLANK), ("photo", BLANK), ("more", BLANK)], Letter("a", ONE)),
    (Row, {}, {"scan": ONE, "more": BLANK}, Row(ONE, None)),
    (Strict, {"pages": "07"}, {"the-scan": ONE}, Strict(ONE, 7)),
    (Loose, {}, {}, {}),
    (Loose, {}, [("more", ONE), ("more", TWO)], {"more": (ONE, TWO)}),
    (Row, {}, {"scan": ONE}, Row(ONE, None)),
    (Row, {}, {"scan": ONE, "more": TWO}, Row(ONE, {TWO})),
)
def test_a_field_that_is_a_file_is_taken_from_the_files(wanted, fields, files, value):
    assert read(wanted, fields, files) == value


@rows(
    "wanted, fields, files, expected",
        (Letter, {}, {}, {"/title": "is missing", "/scan": "is missing"}),
        (Letter, {"title": "a"}, {"scan": BLANK}, {"/scan": "is missing"}),
        (Letter, {"title": "a", "scan": "text"}, {}, {"/scan": "expected a file, got text"}),
        (Letter, {}, {"title": ONE, "scan": ONE}, {"/title": "expected text, got a file"}),
        (Strict, {"pages": "x"}, {"scan": ONE}, {
            "/the-scan": "is missing", "/scan": "is unknown: did you mean 'the-scan'?", "/pages": "expected an integer",
        }),
        (Loose, {}, {"more": ONE}, {"/more": "expected an array of at least 2 items"}),
        (Row, {"scan": "x"}, {"more": ONE}, {"/scan": "expected a file, got text"}),
)  # fmt: skip
def test_files_that_do_not_fit_are_named_with_the_other_fields(wanted, fields, files, expected):
    assert faults(unprocessable(read, wanted, fields, files)) == expected


Both = dataclasses.make_dataclass("Both", [("both", tuple[File, str])])
Named = dataclasses.make_dataclass("Named", [("named", dict[str, File])])
Deep = dataclasses.make_dataclass("Deep", [("letter", Letter)])


@rows(
    "wanted, message",
    (Both, r"^Both\.both can't be both a file \(File\) and text"),
    (Named, r"^Named\.named can't be read from a form or query"),
    (Deep, r"^Deep\.letter can't be read from a form or query"),
)
def test_a_type_that_no_form_gives_is_a_type_error_that_names_the_field(wanted, message):
    with pytest.raises(TypeError, match=message):
        read(wanted)


def test_where_there_are_no_files_a_field_that_is_one_is_a_type_error():
    with pytest.raises(TypeError, match=r"^(File|Picture), in Letter\.\w+, can't be read; accepted are"):
        fields_as(MultiDict([("title", "a")]), Letter, "query")
    with pytest.raises(TypeError, match=r"^(File|Picture), in Letter\.\w+, can't be read; accepted are"):
        json_as(b"{}", Letter)
