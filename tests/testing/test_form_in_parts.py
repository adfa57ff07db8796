import io
import re

import pytest
from werkzeug.wrappers import Request as WerkzeugRequest

from antiphon.testing import Client
from antiphon.testing.requests import encode_parts
from tests.helpers.rows import rows

BYTES = "application/octet-stream"


def heads(files, fields=()):
    """The lines above the contents of the parts."""
    body, content_type = encode_parts(fields, files)
    boundary = re.fullmatch("multipart/form-data; boundary=([0-9A-Za-z-]{1,70})", content_type)[1]
    parts = body.decode().split(f"--{boundary}")
    assert (parts[0], parts[-1]) == ("", "--\r\n")
    return [part.partition("\r\n\r\n")[0].strip() for part in parts[1:-1]]


def opened(name):
    file = io.BytesIO(b"content")
    file.name = name
    return file


@rows(
    "name, file, head",
        ("a", b"1", f'name="a"; filename="a"\r\nContent-Type: {BYTES}'),
        ("a.txt", bytearray(b"1"), 'name="a.txt"; filename="a.txt"\r\nContent-Type: text/plain'),
        ("a", ("b.png", memoryview(b"1")), 'name="a"; filename="b.png"\r\nContent-Type: image/png'),
        ("a", ("b.png", b"1", "x/y; z=1"), 'name="a"; filename="b.png"\r\nContent-Type: x/y; z=1'),
        ("a", ("", b""), f'name="a"; filename=""\r\nContent-Type: {BYTES}'),
        ("a", io.BytesIO(b"1"), f'name="a"; filename="a"\r\nContent-Type: {BYTES}'),
        ("a", opened("/tmp/b.pdf"), 'name="a"; filename="b.pdf"\r\nContent-Type: application/pdf'),
        ("a", opened(3), f'name="a"; filename="a"\r\nContent-Type: {BYTES}'),
        ("a", ("b.csv", opened("c.pdf")), 'name="a"; filename="b.csv"\r\nContent-Type: text/csv'),
        ('"a\r\n', ('"b"\n;\\', b"1"), f'name="%22a%0D%0A"; filename="%22b%22%0A;\\"\r\nContent-Type: {BYTES}'),
        ("ü", ("☃", b"1"), f'name="ü"; filename="☃"\r\nContent-Type: {BYTES}'),
)  # fmt: skip
def test_the_head_of_a_file(name, file, head):
    assert heads({name: file}) == [f"Content-Disposition: form-data; {head}"]


@rows("kind", [list, tuple])
def test_a_field_may_have_several_files(kind):
    names = [head.partition("filename=")[2][:3] for head in heads({"a": kind([b"1", ("b", b"2")]), "c": b"3"})]
    assert names == ['"a"', '"b"', '"c"']


def test_fields_come_first_and_are_no_files():
    assert heads({"a": []}, [("b", "1"), ('"', "2")]) == [
        'Content-Disposition: form-data; name="b"', 'Content-Disposition: form-data; name="%22"',
    ]  # fmt: skip


def test_line_breaks_of_names_and_texts_are_crlf_as_in_browsers():
    body, _ = encode_parts([("a\rb", "1\n2\r\n3\r")], {"c\nd": ("e\nf", b"4\n5")})
    for sent in (
        b'name="a%0D%0Ab"\r\n\r\n1\r\n2\r\n3\r\n\r\n--',
        b'name="c%0D%0Ad"; filename="e%0Af"',
        b"\r\n\r\n4\n5\r\n--",
    ):
        assert sent in body


@rows(
    "files, error, said",
    ({"a": "text"}, TypeError, "not str"),
    ({"a": None}, TypeError, "not NoneType"),
    ({"a": io.StringIO("text")}, TypeError, "binary mode"),
    ({"a": ("b.txt", "text")}, TypeError, "not str"),
    ({"a": ("b.txt",)}, TypeError, "not tuple"),
    ({"a": ("b.txt", b"", None)}, TypeError, "not tuple"),
    ({"a": [b"1", 2]}, TypeError, "not int"),
    ([("a", b"1")], TypeError, "must map"),
    ({"a": ("b.txt", b"", "x/y\r\nz: 1")}, ValueError, "control characters"),
    ({"\ud800": b""}, ValueError, "surrogates"),
)
def test_what_is_no_file_is_refused(files, error, said):
    with pytest.raises(error, match=said):
        encode_parts((), files)


def test_another_library_reads_it_too(seen):
    def application(environ, start_response):
        with WerkzeugRequest(environ) as request:
            seen.append((request.form.to_dict(), {name: file.read() for name, file in request.files.items()}))
            seen.append({name: (file.filename, file.mimetype) for name, file in request.files.items()})
        start_response("200 OK", [])
        return []

    files = {"ü": ('a"b.png', b"\r\n--x"), "c": ("☃.txt", b"2", "text/x")}
    Client(application, "wsgi").post("/", form={"n": 3}, files=files)
    assert seen == [
        ({"n": "3"}, {"ü": b"\r\n--x", "c": b"2"}),
        {"ü": ('a"b.png', "image/png"), "c": ("☃.txt", "text/x")},
    ]
