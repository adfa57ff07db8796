"""Docstrings of what programs use: ``help()`` and editors show them."""

import inspect
import re

from antiphon import App, Blueprint, Request, Response
from antiphon.lazy import attribute_docs
from tests.helpers.rows import rows

CLASSES = (App, Blueprint, Request, Response)
NAMES = [(cls, name) for cls in CLASSES for name in dir(cls) if name[0] != "_"]


def docstring(cls, name):
    """What is said of an attribute: below its declaration, or by the descriptor that it is."""
    said = next((attribute_docs(owner)[name] for owner in cls.__mro__ if name in attribute_docs(owner)), None)
    value = inspect.getattr_static(cls, name)
    return said or (inspect.getdoc(value) if hasattr(value, "__get__") else None)


@rows("cls", CLASSES)
def test_every_public_name_has_one(cls):
    assert [name for of, name in NAMES if of is cls and not docstring(cls, name)] == []


@rows("cls", CLASSES)
def test_the_first_sentence_can_be_read_alone(cls):
    alone = re.compile(r"(What|Whether|The same|It|This|They|These)\b")
    assert [name for of, name in NAMES if of is cls and alone.match(docstring(cls, name) or "")] == []


def test_help_shows_those_of_header_fields():
    assert Request.accept.__doc__.startswith("Accept (RFC 9110 §12.5.1), an ``Accept``: ")
    assert Response.age.__doc__ == "Age (RFC 9111 §5.1), an int, in seconds."
    assert "The route that answers the request." in inspect.getdoc(Request.route)
