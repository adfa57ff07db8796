"""What the document says of a request, where no comparison with WebOb shows it."""

import pytest

from antiphon.dialects.webob import Request
from antiphon.dialects.webob.multidict import NoVars
from tests.dialects.werkzeug.environs import URLENCODED, environ
from tests.helpers.rows import rows


def request(body=b"", **keys):
    return Request(environ(body, **keys))


@pytest.mark.feature("pyramid-007")
def test_no_form_has_no_variables_and_says_why():
    fields = request(b"{}", CONTENT_TYPE="application/json").POST
    assert isinstance(fields, NoVars)
    assert (len(fields), fields.get("a"), fields.getall("a"), "a" in fields, fields.items()) == (0, None, [], False, [])
    for change in (lambda: fields.add("a", "b"), lambda: fields.pop("a"), lambda: fields["a"]):
        with pytest.raises(KeyError, match="application/json"):
            change()


@pytest.mark.feature("pyramid-012")
def test_headers_in_any_case():
    made = request(b"x", HTTP_X_TRACE="on", CONTENT_TYPE="text/plain")
    assert made.headers["x-trace"] == made.headers["X-TRACE"] == "on"
    assert {name.lower() for name in made.headers} == {"x-trace", "host", "content-type", "content-length"}
    made.headers["X-Trace"] = "off"
    assert made.environ["HTTP_X_TRACE"] == "off"
    del made.headers["x-trace"]
    assert "HTTP_X_TRACE" not in made.environ


@pytest.mark.feature("pyramid-014")
def test_urlargs():
    made = request()
    made.urlargs = ("a",)
    assert (Request(made.environ).urlargs, made.urlvars) == (("a",), {})


@pytest.mark.feature("pyramid-043")
@rows("copy", [Request.copy, Request.copy_get, lambda made: Request(made.environ.copy())])
def test_what_is_changed_in_a_copy_stays_as_it_is(copy):
    made = request(QUERY_STRING="a=b", HTTP_CACHE_CONTROL="no-cache", HTTP_COOKIE="a=b", HTTP_X_A="b")
    assert (made.GET["a"], made.cache_control.no_cache, made.cookies["a"]) == ("b", "*", "b")
    copied = copy(made)
    copied.GET["a"] = "c"
    copied.cache_control.max_age = 3
    copied.cookies["a"] = "c"
    copied.headers["X-A"] = "c"
    assert made.environ.items() >= {"QUERY_STRING": "a=b", "HTTP_CACHE_CONTROL": "no-cache"}.items()
    assert made.environ.items() >= {"HTTP_COOKIE": "a=b", "HTTP_X_A": "b"}.items()
    assert (copied.query_string, copied.environ["HTTP_COOKIE"]) == ("a=c", "a=c")
    assert copied.environ["HTTP_CACHE_CONTROL"] == "max-age=3, no-cache"


@pytest.mark.feature("pyramid-048")
def test_a_form_is_written_in_the_charset_of_the_start():
    assert Request.blank("/", POST={"n": "\xfc"}, charset="latin-1").body == b"n=%FC"


@pytest.mark.feature("pyramid-049")
def test_a_charset_of_a_class():
    class Western(Request):
        charset = "latin-1"

    env = environ(b"n=%FC", QUERY_STRING="q=%FC", CONTENT_TYPE=URLENCODED)
    assert Request(env).POST["n"] == "\ufffd"
    made = Western(env)
    assert (made.GET["q"], made.POST["n"], made.params["n"]) == ("\xfc", "\xfc", "\xfc")
    assert Request(env).POST["n"] == "\ufffd"
