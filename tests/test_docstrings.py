"""Docstrings of what programs use: ``help()`` and editors show them."""

import inspect
import re

from antiphon import App, Blueprint, Request, Response
from antiphon.lazy import attribute_docs
from antiphon.testing import AsyncClient, Client
from antiphon.types import RequestOptions, RouteOptions
from tests.helpers.rows import rows

CLASSES = (App, Blueprint, Request, Response)
NAMES = [(cls, name) for cls in CLASSES for name in dir(cls) if name[0] != "_"]


def docstring(cls, name):
    """What is said of an attribute: below its declaration, or by the descriptor that it is."""
    said = next((attribute_docs(owner)[name] for owner in cls.__mro__ if name in attribute_docs(owner)), None)
    value = inspect.getattr_static(cls, name)
    return said or (inspect.getdoc(value) if hasattr(value, "__get__") else None)


def words(function):
    return re.findall(r"``\w+``|\w+", inspect.getdoc(function))


@rows("cls", CLASSES)
def test_every_public_name_has_one(cls):
    assert [name for of, name in NAMES if of is cls and not docstring(cls, name)] == []


@rows("cls", CLASSES)
def test_the_first_sentence_can_be_read_alone(cls):
    alone = re.compile(r"(What|Whether|The same|It|This|They|These)\b")
    assert [name for of, name in NAMES if of is cls and alone.match(docstring(cls, name) or "")] == []


@rows("method", ["get", "route"])
def test_help_of_a_route_names_its_options(method):
    assert {f"``{option}``" for option in RouteOptions.__annotations__} <= {*words(getattr(App, method))}


@rows("method", ["post", "put", "patch", "delete", "query"])
def test_help_of_a_route_says_what_a_handler_may_return(method):
    assert {"``get``", "options"} <= {*words(getattr(App, method))}


@rows("method", ["get", "post", "put", "patch", "delete", "options", "head", "query"])
def test_help_of_a_client_says_where_its_options_are(method):
    assert {f"``{option}``" for option in RequestOptions.__annotations__} <= {*words(Client.request)}
    assert "``request``" in words(getattr(Client, method))


@rows("client", [Client, AsyncClient])
def test_help_of_a_client_names_its_own_options(client):
    options = [name for name in inspect.signature(client).parameters if name not in ("app", "interface", "unknown")]
    assert [name for name in options if not re.search(rf"``{name}\b", inspect.getdoc(client.__init__))] == []


def test_help_shows_those_of_header_fields():
    assert Request.accept.__doc__.startswith("Accept (RFC 9110 §12.5.1), an ``Accept``: ")
    assert Response.age.__doc__ == "Age (RFC 9111 §5.1), an int, in seconds."
    assert "The route that handles the request." in inspect.getdoc(Request.route)
