"""What the document says of requests, where Werkzeug says something else today."""

import copy

import pytest

from antiphon.dialects.kay import Request
from antiphon.dialects.kay.werkzeug.formparser import FormDataParser
from antiphon.dialects.werkzeug.datastructures import ImmutableMultiDict, OrderedMultiDict
from tests.dialects.werkzeug.environs import URLENCODED, environ, form
from tests.helpers.rows import rows


class Latin(Request):
    charset = "latin-1"


def request(body=b"", **keys):
    return Request(environ(body, **keys))


@pytest.mark.feature("kay-005")
@rows("name", ["path", "method", "environ", "args", "form", "content_type", "charset", "shallow"])
def test_attributes_of_a_request_can_not_be_set(name):
    made = Request(form())
    for _ in ("not read yet", "read"):
        with pytest.raises(TypeError, match="immutable"):
            setattr(made, name, None)
        with pytest.raises(TypeError, match="immutable"):
            delattr(made, name)
        assert getattr(made, name) is not None


def test_an_application_may_add_attributes_of_its_own():
    class Noted(Request):
        note = None

        def __init__(self, environ):
            super().__init__(environ)
            self.seen = 1

    made = Noted(environ())
    made.note, made.seen = "a", 2
    del made.note
    assert (made.note, made.seen, made.path) == (None, 2, "/a/b")
    assert copy.copy(made).path == "/a/b"


@pytest.mark.feature("kay-025", "kay-043", "kay-045")
def test_the_parser_is_made_as_it_was():
    told = []

    class Parser(FormDataParser):
        def __init__(self, stream_factory, charset, errors, memory, length, cls):
            told.extend([charset, errors, memory, length, cls])
            super().__init__(stream_factory, charset, errors, memory, length, cls)

    class Own(Latin):
        form_data_parser_class = Parser
        parameter_storage_class = OrderedMultiDict
        max_content_length = 1000

    assert Request.form_data_parser_class is FormDataParser
    assert Request.parameter_storage_class is type(request().args) is ImmutableMultiDict
    made = Own(environ(b"b=1&a=2", CONTENT_TYPE=URLENCODED))
    assert list(made.form.items()) == [("b", "1"), ("a", "2")]
    assert told == ["latin-1", "replace", 500_000, 1000, OrderedMultiDict]
    assert made.make_form_data_parser().max_form_parts == 1000


@pytest.mark.feature("kay-006", "kay-181")
def test_charset_is_that_of_all_text():
    assert Request.charset == "utf-8"
    keys = {"SCRIPT_NAME": "/\xe4", "HTTP_COOKIE": "c=\xfc"}
    made = Latin(environ(b"n=%FC&\xfc=1", CONTENT_TYPE=URLENCODED, **keys))
    assert (made.script_root, made.cookies["c"]) == ("/\u00e4", "\u00fc")
    assert made.form == ImmutableMultiDict({"n": "\u00fc", "\u00fc": "1"})
    assert Request(environ(HTTP_COOKIE="c=\xc3\xbc")).cookies["c"] == "\u00fc"
