"""Names of WebOb that libraries import, and modules that are gone."""

import importlib
import subprocess
import sys

import pytest

from antiphon.dialects import webob
from tests.dialects import census
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


MODULES = (
    "byterange client compat datetime_utils dec descriptors etag exc headers multidict request response static util"
)
GONE = {
    "client": {"SendRequest.MULTILINE_RE"}, "compat": {"cgi_FieldStorage.read_multi"},
    "exc": {"br_re", "comment_re", "lazify", "tag_re"}, "headers": {"header2key", "key2header"},
    "request": {"FakeCGIBody", "Transcoder", "detect_charset"},
}  # fmt: skip


@rows("module", MODULES.split())
def test_modules_define_what_the_original_s_do(module):
    ours = importlib.import_module(f"antiphon.dialects.webob.{module}")
    assert census.missing(getattr(original, module), ours) == GONE.get(module, set())
