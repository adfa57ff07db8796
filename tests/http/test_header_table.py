import importlib
import keyword
import pkgutil
import re

import pytest

import antiphon.http
from antiphon.http.headers import Headers, field_name
from tests.http.header_table import HEADER_FIELDS

pytestmark = pytest.mark.once

NAMES = [field.name for field in HEADER_FIELDS]
SIDES = {"request": (True, False), "response": (False, True), "both": (True, True)}
STATUSES = {"standard", "draft", "deprecated", "obsolete", "de facto"}
BUILT_IN = {"str", "int", "bool", "bytes", "dict", "tuple", "None", "datetime"}
OWN_NAMES = {
    "accept-encoding": "accept_encodings", "accept-language": "accept_languages",
    "cookie": "cookies", "from": "from_", "link": "links", "referer": "referrer",
}  # fmt: skip


def test_names_are_sorted_and_different():
    assert sorted(set(NAMES)) == NAMES
    assert len(NAMES) > 100


def test_every_field_is_complete():
    for field in HEADER_FIELDS:
        assert field_name(field.name) == field.name
        assert field.side in SIDES, field
        assert field.list in ("yes", "no"), field
        assert field.status in STATUSES, field
        assert field.source, field
        assert all(text == text.strip() for text in field), field


def test_an_attribute_is_on_a_side_that_has_the_field_and_has_a_type():
    for field in HEADER_FIELDS:
        attributes = (field.request_attribute, field.response_attribute)
        assert all(has_it or not attribute for attribute, has_it in zip(attributes, SIDES[field.side], strict=True)), (
            field
        )
        assert bool(field.request_attribute) is bool(field.request_type), field
        assert bool(field.response_attribute) is bool(field.response_type), field


def test_an_attribute_is_called_as_its_field():
    for field in HEADER_FIELDS:
        expected = OWN_NAMES.get(field.name, field.name.replace("-", "_"))
        for attribute in filter(None, (field.request_attribute, field.response_attribute)):
            assert attribute == expected
            assert attribute.isidentifier()
            assert not keyword.iskeyword(attribute)


def test_the_classes_of_attributes_exist():
    named = {
        name
        for field in HEADER_FIELDS
        for written in (field.request_type, field.response_type)
        for name in re.findall("[A-Za-z]+", written)
    }
    modules = [
        importlib.import_module(f"antiphon.http.{module.name}")
        for module in pkgutil.iter_modules(antiphon.http.__path__)
    ]
    values = {name for module in modules for name, value in vars(module).items() if isinstance(value, type)}
    assert named - BUILT_IN <= values


def test_the_elements_of_lists_are_taken_apart():
    lists = {field.name for field in HEADER_FIELDS if field.list == "yes"}
    assert {name for name in lists if Headers([(name, "a, b")]).getall(name) == ["a", "b"]} == lists
