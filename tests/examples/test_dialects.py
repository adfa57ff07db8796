"""Twelve programs answer the same in the native API, in each dialect, and with the library that the dialect speaks."""

import logging
import sys

import pytest

from antiphon.testing import Client
from examples.dialects.programs import DIALECTS, FOLDER, NATIVE, OVER_ASGI, PROGRAMS, problem
from tests.helpers.rows import rows

WAYS = [pytest.param(program, way, id=f"{program.name}-{way}") for program in PROGRAMS for way in program.ways()]
ORIGINALS = [each for each in WAYS if each.values[0].has_original(each.values[1])]


@pytest.fixture(autouse=True)
def _as_before(monkeypatch):
    """Have what Asok changes in the process last no longer than a test."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", sys.dont_write_bytecode)
    monkeypatch.setenv("SECRET_KEY", "a key for tests, of more than 32 characters")
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


def answers(program, way, app):
    """Ask a program what it is asked, with the cookies that it set; return what is wrong."""
    interface = "asgi" if way in OVER_ASGI else "wsgi"
    client = Client(app, interface, base_url="http://localhost", follow_redirects=False)
    if program.content_type:
        client.headers["content-type"] = program.content_type
    for number, _ in enumerate(program.answers):
        response = client.request(program.method, program.target, body=program.body)
        fields = [(name.lower(), value) for name, value in response.headers.items()]
        yield problem(program, number, response.status, fields, response.body)


@rows("program, way", WAYS)
def test_a_program_answers_the_same_in_each_way(program, way):
    assert set(answers(program, way, program.load(way))) == {""}


@pytest.mark.filterwarnings("ignore")  # the libraries use what newer Pythons deprecate
@rows("program, way", ORIGINALS)
def test_it_does_so_with_the_library_that_the_dialect_speaks(program, way):
    assert set(answers(program, way, program.load(way, original=True))) == {""}


def test_each_program_is_there_in_each_way():
    missing = {(program.name, way) for program in PROGRAMS for way in (NATIVE, *DIALECTS)} - {
        (program.name, way) for program in PROGRAMS for way in program.ways()
    }
    assert missing == set()


def test_no_program_is_forgotten():
    written = {path.parent.name for path in FOLDER.glob("*/native.py")}
    assert written == {program.name for program in PROGRAMS}
