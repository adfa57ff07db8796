"""Names of WebOb that libraries import, and modules that are gone."""

import subprocess
import sys

import pytest

from antiphon.dialects import webob
from antiphon.dialects.webob import request
from tests.dialects.webob import original
from tests.helpers.rows import rows

WITHOUT_CGI = """
import sys
sys.modules["cgi"] = sys.modules["pkg_resources"] = sys.modules["setuptools"] = None
import antiphon.dialects.webob as webob
from antiphon.dialects.webob import acceptparse, client, compat, dec, exc, multidict, static
made = webob.Request.blank("/", POST={"f": ("a.txt", b"content")})
assert isinstance(made.POST["f"], compat.cgi_FieldStorage)
assert made.send(webob.Response("hello")).text == "hello"
"""


@pytest.mark.processes
def test_neither_cgi_nor_setuptools_is_needed():
    """webob#437 and #466."""
    subprocess.run([sys.executable, "-W", "error", "-c", WITHOUT_CGI], check=True, timeout=60)


def test_the_package_has_the_original_s_names():
    assert set(webob.__all__) == set(original.webob.__all__)
    for name in {name for name in dir(original.webob) if not name.startswith("_")}:
        getattr(webob, name)
    with pytest.raises(AttributeError, match=r"webob\.nothing"):
        webob.nothing  # noqa: B018


def test_requests_have_the_original_s_names():
    for name in ("BaseRequest", "LegacyRequest", "Request"):
        theirs = {name for name in dir(getattr(original.request, name)) if not name.startswith("_")}
        assert theirs <= set(dir(getattr(request, name)))


MODULES_THAT_IT_IMPORTS = {"cgi", "parse", "sys", "tempfile", "types"}


@rows("module", ["compat", "multidict", "client", "headers"])
def test_modules_have_the_original_s_names(module):
    theirs = getattr(original, module)
    names = getattr(theirs, "__all__", None) or {name for name in dir(theirs) if not name.startswith("_")}
    assert set(names) - MODULES_THAT_IT_IMPORTS <= set(dir(getattr(webob, module)))


def test_responses_have_the_original_s_names():
    theirs = {name for name in dir(original.response.Response) if not name.startswith("_")}
    assert theirs <= set(dir(webob.Response))


@rows("module", ["response", "exc", "static", "dec", "byterange", "datetime_utils", "descriptors", "headers"])
def test_modules_define_what_the_original_s_do(module):
    theirs = vars(getattr(original, module))
    own = {name for name, value in theirs.items() if getattr(value, "__module__", None) == f"webob.{module}"}
    assert {name for name in own if name[0] != "_"} - {"lazify"} <= set(dir(getattr(webob, module)))
