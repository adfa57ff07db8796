"""Fields of forms, and whole forms, that are made by hand, beside those of WebOb."""

import subprocess
import sys
from io import BytesIO

import pytest

from antiphon.dialects.webob import compat
from antiphon.dialects.webob.multidict import MultiDict
from tests.dialects.webob import original
from tests.dialects.werkzeug.environs import CONTENT, MULTIPART, URLENCODED, part, parts
from tests.dialects.werkzeug.in_step import outcome, same
from tests.helpers.rows import rows

POST = {"REQUEST_METHOD": "POST"}
NAMED = 'form-data; name="a"'
FILE = 'form-data; name="f"; filename="a.txt"'
FORM = parts(part(b"1", NAMED), part(b"2", NAMED), part(CONTENT, FILE))
OF_PARTS = {"content-type": MULTIPART, "content-length": len(FORM)}
MADE = {
    "a file": {
        "fp": CONTENT,
        "headers": {
            "content-disposition": FILE,
            "content-length": len(CONTENT),
            "content-type": "text/x-thing; charset=utf-8",
        },
        "environ": POST,
    },
    "a body": {"fp": b"{}", "environ": POST | {"CONTENT_TYPE": "application/json", "CONTENT_LENGTH": "2"}},
    "a form": {"fp": b"a=1&b=x+y&a=2&c=", "environ": POST | {"CONTENT_TYPE": URLENCODED, "CONTENT_LENGTH": "16"}},
    "a form with blanks": {"fp": b"a=&b=1", "environ": POST, "keep_blank_values": True},
    "a form by headers": {"fp": b"a=1", "headers": {"content-type": URLENCODED}, "environ": POST},
    "a form in parts": {"fp": FORM, "headers": OF_PARTS, "environ": POST},
    "a query": {"environ": {"QUERY_STRING": "a=1&b=2&a=3"}},
    "an empty query": {"environ": {"QUERY_STRING": ""}},
}
LOOKS = [
    lambda field: (field.name, field.filename, field.type, field.disposition, field.disposition_options),
    lambda field: (
        field.value if field.list is None else [(each.name, each.filename, each.value) for each in field.list]
    ),
    lambda field: field.list is not None or field.file.read(),
    lambda field: (sorted(field), len(field), sorted(field.keys())),
    lambda field: [(key in field, field.getvalue(key, 0), field.getfirst(key), field.getlist(key)) for key in "abcf"],
    lambda field: field.list is None or bool(field),
    lambda field: [each.value for each in field["a"]],
    lambda field: field["missing"],
]


@rows("given", MADE.values(), ids=MADE)
def test_made_by_hand(given):
    def made(kind):
        return kind(**{**given, **({"fp": BytesIO(given["fp"])} if "fp" in given else {})})

    theirs, ours = made(original.compat.cgi_FieldStorage), made(compat.cgi_FieldStorage)
    for look in LOOKS:
        same(outcome(look, theirs), outcome(look, ours))
    if ours.list is not None:
        kept = [original.multidict.MultiDict.from_fieldstorage(theirs), MultiDict.from_fieldstorage(ours)]
        assert len({tuple(each.keys()) for each in kept}) == 1
    for field in (theirs, *(theirs.list or ())):
        if field.file is not None:
            field.file.close()


def test_content_can_be_written_to_its_own_file():
    field = compat.cgi_FieldStorage(
        headers={"content-disposition": 'form-data; name="f"; filename="a.txt"'}, environ={}
    )
    with field.make_file() as field.file:
        field.file.write(CONTENT)
        assert (field.value, repr(field), bool(field)) == (CONTENT, "FieldStorage('f', 'a.txt')", True)


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


def test_an_error_is_raised_again():
    error = LookupError("lost")
    with pytest.raises(LookupError) as caught:
        compat.reraise((LookupError, error, None))
    assert caught.value is error
