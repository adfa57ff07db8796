import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.http import parse_options_header

from antiphon.http.content_disposition import LONGEST_FILENAME, ContentDisposition
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

types = st.sampled_from(["inline", "attachment", "x-other"])
writable = st.characters(exclude_categories=["Cs"], exclude_characters=[*map(chr, range(32)), "\x7f"])
texts = st.text(st.one_of(writable, st.sampled_from(" \"\\%/;=,'*.äß日😀")), max_size=40)
filenames = st.none() | texts


@rows(
    "text, disposition_type, filename",
        ("Attachment; filename=example.html", "attachment", "example.html"),
        ("INLINE; FILENAME= \"an example.html\"", "inline", "an example.html"),
        ("attachment; filename*= UTF-8''%e2%82%ac%20rates", "attachment", "€ rates"),
        ("attachment; filename=\"EURO rates\"; filename*=utf-8''%e2%82%ac%20rates", "attachment", "€ rates"),
        ("attachment; filename*=utf-8''%e2%82%ac%20rates; filename=\"EURO rates\"", "attachment", "€ rates"),
        ("attachment; filename*=iso-8859-1'en'%A3%20rates", "attachment", "£ rates"),
        ("attachment; filename*=\"UTF-8''a%20b\"", "attachment", "a b"),
        ("attachment", "attachment", None),
        (" inline ;", "inline", None),
        ("attachment; filename=", "attachment", None),
        ('attachment; filename=""', "attachment", None),
        ("attachment; filename=an example.html; x=y", "attachment", "an example.html"),
        ('attachment; filename="a;b,c=d.txt"', "attachment", "a;b,c=d.txt"),
        ('attachment; filename="not closed', "attachment", "not closed"),
        ('attachment; filename="a \\"b\\" c"', "attachment", 'a "b" c'),
        ('attachment; filename=a"b', "attachment", None),
        ("attachment; filename='quoted'", "attachment", "'quoted'"),
        ("attachment; filename=first; filename=second", "attachment", "first"),
        ("attachment; filename=50%25.txt", "attachment", "50%25.txt"),
        ('attachment; filename="%22.txt"', "attachment", "%22.txt"),
        ("attachment; filename=\"na\xc3\xafve\"", "attachment", "naïve"),
        ("attachment; filename=\"na\xefve\"", "attachment", "naïve"),
        ("attachment; filename=\"日本\"", "attachment", "日本"),
        ("attachment; name=field; filename=a", "attachment", "a"),
        ("token; other=a", "token", None),
)  # fmt: skip
def test_reading(text, disposition_type, filename):
    read = ContentDisposition.parse(text)
    assert (read.type, read.filename, read.name) == (disposition_type, filename, None)


@rows("bad", ["UTF-8''%FF", "UTF-8''%", "UTF-8''%0d%0aSet-Cookie:a", "UTF-8''a%00", "unknown''a", "plain", "UTF-8''"])
def test_an_extended_filename_that_cannot_be_decoded_is_passed_over(bad):
    assert ContentDisposition.parse(f"attachment; filename*={bad}; filename=fallback").filename == "fallback"
    assert ContentDisposition.parse(f"attachment; filename*={bad}").filename is None


@rows(
    "path, last",
    ("/etc/passwd", "passwd"), ("../../etc/passwd", "passwd"), ("C:\\Users\\me\\report.pdf", "report.pdf"),
    ("a/b\\c", "c"), ("..", None), ("../.", None), ("folder/", None), ("...", "..."),
)  # fmt: skip
def test_of_a_path_the_last_part_is_taken(path, last):
    assert ContentDisposition("attachment", path).filename == last
    assert ContentDisposition.parse(f'inline; filename="{path}"').filename == last
    escaped = path.replace("/", "%2F").replace("\\", "%5C")
    assert ContentDisposition.parse(f"inline; filename*=UTF-8''{escaped}").filename == last


@rows(
    "text, name, filename",
    ('form-data; name="field"', "field", None),
    ('form-data; name="file"; filename="a.txt"', "file", "a.txt"),
    ('form-data; name=""; filename=""', "", ""),
    ("Form-Data;name=field", "field", None),
    ('form-data; filename="a.txt"; name="file"', "file", "a.txt"),
    ('form-data; name="file"; filename="folder/a.txt"', "file", "folder/a.txt"),
    ('form-data; name="file"; filename="C:\\temp\\new.txt"', "file", "C:\\temp\\new.txt"),
    ('form-data; name="file"; filename="C:\\\\temp\\\\new.txt"', "file", "C:\\temp\\new.txt"),
    ('form-data; name="a %22b%22"; filename="%22c%22.txt"', 'a "b"', '"c".txt'),
    ('form-data; name="a \\"b\\""; filename="100%.txt"', 'a "b"', "100%.txt"),
    ('form-data; name="a%0D%0Ab"', "a%0D%0Ab", None),
    ('form-data; name="\xe6\x97\xa5"; filename="na\xc3\xafve.txt"', "日", "naïve.txt"),
    ('form-data; name="f"; filename="x"; filename*=UTF-8\'\'na%C3%AFve.txt', "f", "naïve.txt"),
    ('form-data; name="a;b"; filename="c; d=e"', "a;b", "c; d=e"),
    ("form-data", None, None),
)
def test_reading_the_parts_of_forms(text, name, filename):
    read = ContentDisposition.parse(text)
    assert (read.type, read.name, read.filename) == ("form-data", name, filename)


@rows(
    "text",
    "", ";", "filename=a", '"attachment"; filename=a', "attachment filename=a", "attachment, inline", "ättachment",
    "attachment; filename=a\r\nb", 'attachment; filename="a\0b"', 'form-data; name="a\nb"',
    'form-data; name="a\x7fb"', "attachment\n",
)  # fmt: skip
def test_what_is_no_disposition_is_refused(text):
    with pytest.raises(ValueError, match="not a content disposition"):
        ContentDisposition.parse(text)


@rows("text", ['form-data; name="a"; filename="{}"', "attachment; filename={}", "inline; filename*=UTF-8''{}"])
def test_long_filenames_are_refused(text):
    longest = "x" * LONGEST_FILENAME
    assert ContentDisposition.parse(text.format(longest)).filename == longest
    for bad in (text.format(f"{longest}x"), text.format(longest * 1000)):
        with pytest.raises(ValueError, match="at most 1024 characters"):
            ContentDisposition.parse(bad)
    with pytest.raises(ValueError, match="at most 1024 characters"):
        ContentDisposition("attachment", f"{longest}x")


@rows(
    "disposition, printed",
        (ContentDisposition("inline"), "inline"),
        (ContentDisposition("Attachment", "report.pdf"), "attachment; filename=report.pdf"),
        (ContentDisposition("attachment", "a b.txt"), 'attachment; filename="a b.txt"'),
        (ContentDisposition("attachment", "a;b.txt"), 'attachment; filename="a;b.txt"'),
        (
            ContentDisposition("attachment", "naïve café.txt"),
            "attachment; filename=\"naive cafe.txt\"; filename*=UTF-8''na%C3%AFve%20caf%C3%A9.txt",
        ),
        (
            ContentDisposition("attachment", "日本.txt"),
            "attachment; filename=_.txt; filename*=UTF-8''%E6%97%A5%E6%9C%AC.txt",
        ),
        (
            ContentDisposition("inline", 'a "b".txt'),
            "inline; filename=\"a _b_.txt\"; filename*=UTF-8''a%20%22b%22.txt",
        ),
        (ContentDisposition("inline", "50%25"), "inline; filename=50_25; filename*=UTF-8''50%2525"),
        # Wide forms of a slash, a quote and a backslash.
        (
            ContentDisposition("inline", "\uff0f\uff02\uff3c"),
            "inline; filename=___; filename*=UTF-8''%EF%BC%8F%EF%BC%82%EF%BC%BC",
        ),
        (ContentDisposition("inline", "\u0301"), "inline; filename=_; filename*=UTF-8''%CC%81"),
        (ContentDisposition("form-data", name="field"), 'form-data; name="field"'),
        (ContentDisposition("form-data", "a b.txt", name='"x"'), 'form-data; name="%22x%22"; filename="a b.txt"'),
        (ContentDisposition("form-data", "é/\\", name=""), 'form-data; name=""; filename="\xc3\xa9/\\\\"'),
)  # fmt: skip
def test_printing(disposition, printed):
    assert str(disposition) == printed


@rows("bad", ["\r", "\n", "\0", "\x7f", "\x1b", "\ud800"])
def test_control_characters_are_refused(bad):
    for arguments in ({"filename": f"a{bad}b"}, {"name": f"a{bad}"}):
        with pytest.raises(ValueError, match="control characters or surrogates"):
            ContentDisposition("form-data", **arguments)


@rows("bad", ["", "a b", "a;b", "é", "a\n", '"a"'])
def test_a_type_is_a_token(bad):
    with pytest.raises(ValueError, match="must be a token"):
        ContentDisposition(bad)


def test_only_forms_have_names_of_fields():
    with pytest.raises(ValueError, match="only form-data"):
        ContentDisposition("attachment", name="field")


@given(types, filenames)
def test_what_was_printed_is_read_back(disposition_type, filename):
    disposition = ContentDisposition(disposition_type, filename)
    printed = str(disposition)
    assert printed.isascii()
    assert printed.isprintable()
    assert ContentDisposition.parse(printed) == disposition
    assert str(ContentDisposition.parse(printed)) == printed


@given(types, texts)
def test_no_client_misreads_what_is_in_quotes(disposition_type, filename):
    printed = str(ContentDisposition(disposition_type, filename))
    if quoted := re.findall('"[^"]*"?', printed):
        assert len(quoted) == 1
        assert re.fullmatch(r'"[^"\\%/]+"', quoted[0])


@given(texts, filenames)
def test_what_was_printed_into_a_form_is_read_back(name, filename):
    if "%22" not in name + (filename or ""):
        disposition = ContentDisposition("form-data", filename, name=name)
        assert ContentDisposition.parse(str(disposition)) == disposition


@given(types, texts)
def test_werkzeug_reads_what_was_printed(disposition_type, filename):
    disposition = ContentDisposition(disposition_type, filename)
    read_type, parameters = parse_options_header(str(disposition))
    assert (read_type, parameters.get("filename")) == (disposition_type, disposition.filename)


@rows("arguments", ["'inline', None", "'attachment', 'a.txt'", "'form-data', None, name='a'"])
def test_its_representation_makes_it(arguments):
    assert repr(eval(f"ContentDisposition({arguments})")) == f"ContentDisposition({arguments})"
