import importlib
import keyword
import pkgutil
import re

import pytest

import antiphon.http
from antiphon.http.headers import Headers, field_name
from tests.http.header_table import HEADER_FIELDS

NAMES = [field.name for field in HEADER_FIELDS]
SIDES = {"request": (True, False), "response": (False, True), "both": (True, True)}
STATUSES = {"standard", "draft", "deprecated", "obsolete", "de facto"}
BUILT_IN = {"str", "int", "bool", "tuple", "None", "datetime"}
OWN_NAMES = {
    "accept-charset": "accept_charsets",
    "accept-encoding": "accept_encodings",
    "accept-language": "accept_languages",
    "cookie": "cookies",
    "from": "from_",
    "link": "links",
    "referer": "referrer",
}

each_field = pytest.mark.parametrize("field", HEADER_FIELDS, ids=NAMES)


def test_names_are_sorted_and_different():
    assert sorted(set(NAMES)) == NAMES
    assert len(NAMES) > 100


@each_field
def test_a_field_is_complete(field):
    assert field_name(field.name) == field.name
    assert field.side in SIDES
    assert field.list in ("yes", "no")
    assert field.status in STATUSES
    assert field.source
    assert all(text == text.strip() for text in field)


@each_field
def test_an_attribute_is_on_a_side_that_has_the_field_and_has_a_type(field):
    attributes = (field.request_attribute, field.response_attribute)
    for attribute, has_it in zip(attributes, SIDES[field.side], strict=True):
        assert has_it or not attribute
    assert bool(field.request_attribute) is bool(field.request_type)
    assert bool(field.response_attribute) is bool(field.response_type)


@each_field
def test_an_attribute_is_called_as_its_field(field):
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


@each_field
def test_the_elements_of_lists_are_taken_apart(field):
    if field.list == "yes":
        assert Headers([(field.name, "a, b")]).getall(field.name) == ["a", "b"]
