"""Attributes, redirects, files and names beside those of Werkzeug."""

import io
import os
import sys
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug import utils as original

from antiphon.dialects._environ.attributes import Accessor
from antiphon.dialects.werkzeug import utils
from antiphon.dialects.werkzeug.exceptions import NotFound, RequestedRangeNotSatisfiable
from tests.dialects.werkzeug.environs import called, environ
from tests.dialects.werkzeug.in_step import outcome, same
from tests.helpers.rows import rows

LIBRARIES = (original, utils)


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "t\u00e9xt.txt"
    file.write_bytes(b"0123456789")
    os.utime(file, (1_000_000_000.25, 1_000_000_000.25))
    return file


@rows("library", LIBRARIES)
def test_a_cached_property_is_computed_once(library):
    class Thing:
        @library.cached_property
        def value(self):
            """What it is."""
            computed.append(True)
            return len(computed)

    computed = []
    thing = Thing()
    with pytest.raises(KeyError):
        del thing.value
    assert (thing.value, thing.value) == (1, 1)
    del thing.value
    assert thing.value == 2
    thing.value = 9
    assert thing.value == 9
    assert Thing.value.__doc__ == "What it is."
    assert isinstance(Thing.value, property)


@rows("library", LIBRARIES)
def test_a_cached_property_may_be_in_a_slot(library):
    class Thing:
        __slots__ = ("_cache_value",)

        @library.cached_property
        def value(self):
            computed.append(True)
            return len(computed)

    computed = []
    thing = Thing()
    assert (thing.value, thing.value) == (1, 1)
    del thing.value
    del thing.value
    assert thing.value == 2
    thing.value = 9
    assert thing.value == 9


@given(st.text(max_size=30))
def test_secure_filenames(name):
    assert utils.secure_filename(name) == original.secure_filename(name)


@rows(
    "path, location",
    ("/http:evil.com", "./http:evil.com/"), ("/a/javascript:alert(1)", "./javascript:alert(1)/"),
    ("/a/12:30", "./12:30/"), ("/a:b/c", "c/"), ("/\\\\evil.com", "./%5C%5Cevil.com/"),
)  # fmt: skip
def test_a_slash_is_never_appended_to_what_leads_to_another_site(path, location):
    response = utils.append_slash_redirect(environ(PATH_INFO=path, QUERY_STRING=""))
    _, fields, _ = called(response, environ())
    assert dict(fields)["Location"] == location
    assert response.headers["Location"].startswith(location[:2])


OPTIONS = [
    {}, {"mimetype": "a/b"}, {"as_attachment": True}, {"download_name": "a b.html"}, {"download_name": "x.tar.gz"},
    {"download_name": "x.tar.gz", "as_attachment": True}, {"etag": False}, {"etag": "own"}, {"max_age": 60},
    {"max_age": 0}, {"last_modified": datetime(2020, 1, 1, tzinfo=UTC)}, {"use_x_sendfile": True},
    {"conditional": False},
    {"max_age": lambda path: 5},
]  # fmt: skip
REQUESTS = [
    {}, {"HTTP_RANGE": "bytes=2-4"}, {"HTTP_RANGE": "bytes=-3"}, {"HTTP_RANGE": "bytes=90-"},
    {"REQUEST_METHOD": "HEAD"},
    {"HTTP_IF_MODIFIED_SINCE": "Sun, 09 Sep 2001 01:46:40 GMT"}, {"HTTP_IF_NONE_MATCH": "*"},
    {"REQUEST_METHOD": "POST"},
]  # fmt: skip


def answer(library, source, options, keys):
    response = library.send_file(source() if callable(source) else source, environ(**keys), **options)
    status, fields, body = called(response, environ(**keys))
    response.close()
    kept = {name.lower(): value for name, value in fields if name not in ("Date", "Expires", "Content-Disposition")}
    return status, kept, body


@rows("options", OPTIONS, ids=[str([*each]) + str(number) for number, each in enumerate(OPTIONS)])
@rows("keys", REQUESTS, ids=str)
def test_files_are_sent(path, options, keys):
    same(outcome(answer, original, path, options, keys), outcome(answer, utils, path, options, keys))


def test_a_range_that_is_not_there_closes_the_file(path):
    with open(path, "rb") as file, pytest.raises(RequestedRangeNotSatisfiable):
        utils.send_file(io.BytesIO(b"12"), environ(HTTP_RANGE="bytes=5-"), mimetype="a/b")
    assert file.closed


@rows("library", [original, utils])
def test_a_file_without_a_name_needs_a_type(library):
    with pytest.raises(TypeError, match="detect the MIME type"):
        library.send_file(io.BytesIO(b"12"), environ())


def test_files_are_sent_from_a_directory(path):
    env = environ()
    with utils.send_from_directory(path.parent, path.name, env) as response:
        assert called(response, env)[2] == b"0123456789"
    for name in ("../x", "nothing", ".", f"../{path.parent.name}/../x"):
        with pytest.raises(NotFound):
            utils.send_from_directory(path.parent, name, env)


@rows("name", ["no_such_module", "os.nothing", "os:nothing.more", "no.such.module"])
def test_objects_that_are_not_there(name):
    with pytest.raises(utils.ImportStringError, match=r"import_string\(\) failed for") as raised:
        utils.import_string(name)
    assert raised.value.import_name == name
    assert isinstance(raised.value.exception, ImportError)
    assert utils.import_string(name, silent=True) is None


def test_a_path_is_no_name_of_a_module():
    assert utils.import_string("./cert.pem", silent=True) is original.import_string("./cert.pem", silent=True) is None


def test_modules_are_found(tmp_path, monkeypatch):
    for name in ("found_here/__init__.py", "found_here/one.py", "found_here/sub/__init__.py", "found_here/sub/two.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    for options in ({}, {"include_packages": True}, {"recursive": True}, {"include_packages": True, "recursive": True}):
        assert list(utils.find_modules("found_here", **options)) == list(original.find_modules("found_here", **options))
    with pytest.raises(ValueError, match="package"):
        list(utils.find_modules("found_here.one"))
    for name in [name for name in sys.modules if name.startswith("found_here")]:
        del sys.modules[name]


def test_markup():
    assert utils.escape('<a href="x">&</a>') == "&lt;a href=&quot;x&quot;&gt;&amp;&lt;/a&gt;"
    assert utils.escape(None) == ""
    assert utils.unescape("&lt;&auml;&#x41;") == "<\u00e4A"


def test_an_import_that_fails_shows_its_name_and_why():
    with pytest.raises(utils.ImportStringError) as raised:
        utils.import_string("nowhere.thing")
    assert repr(raised.value).startswith("<ImportStringError('nowhere.thing', ModuleNotFoundError(")


def test_markup_stays_as_it_is():
    class Markup:
        def __html__(self):
            return "<b>"

    assert (utils.escape(Markup()), utils.escape(None), utils.escape('<"')) == ("<b>", "", "&lt;&quot;")


@rows("library", LIBRARIES)
def test_filenames_on_windows(library, monkeypatch):
    monkeypatch.setattr(os.path, "altsep", "\\")
    monkeypatch.setattr(os, "name", "nt")
    assert library.secure_filename("a\\b c.txt") == "a_b_c.txt"
    assert library.secure_filename("NUL.txt") == "_NUL.txt"


def test_an_accessor_shows_its_name():
    assert repr(utils.header_property("X-A")) == repr(original.header_property("X-A")) == "<header_property X-A>"
    with pytest.raises(NotImplementedError):
        Accessor("a").lookup(None)
