from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.body.multipart import MultipartParser, PartData, parse_boundary
from antiphon.body.part_head import HeadLimits, PartHead
from antiphon.http.errors import BadRequest, HTTPError
from tests.body.forms_in_parts import BOUNDARY, cut, evenly, print_form, print_part, read
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

DISPOSITION = b'Content-Disposition: form-data; name="a"'
END = b"--B--\r\n"


def with_b(fields, content=b"x"):
    return print_part(fields, content, b"B")


class TestBoundary:
    @rows(
        "content_type, boundary",
        ("multipart/form-data; boundary=----WebKitFormBoundaryAbc", b"----WebKitFormBoundaryAbc"),
        ('multipart/form-data; boundary="gc0pJq0M:08jU534c0p"', b"gc0pJq0M:08jU534c0p"),
        ("multipart/form-data; boundary=gc0pJq0M:08jU534c0p", b"gc0pJq0M:08jU534c0p"),
        ("Multipart/Form-Data;charset=utf-8;BOUNDARY=x", b"x"),
        (" multipart/form-data ; boundary = x ", b"x"),
        ('multipart/form-data; boundary="two words"', b"two words"),
        ("multipart/form-data; boundary='x'", b"'x'"),
        ("multipart/form-data; boundary=x; charset=utf-8", b"x"),
        ("multipart/form-data; boundary=" + 70 * "x", 70 * b"x"),
        ("multipart/related; boundary=x", b"x"),
    )
    def test_is_found(self, content_type, boundary):
        assert parse_boundary(content_type) == boundary
        MultipartParser(boundary)

    @rows(
        "content_type, said",
        ("", "needs the Content-Type"), ("boundary=x", "needs the Content-Type"),
        ("text/plain; boundary=x", "needs the Content-Type"), ("multipart/; boundary=x", "needs the Content-Type"),
        ("multipart/form-data", "has no boundary"), ("multipart/form-data;", "has no boundary"),
        ("multipart/form-data; boundary", "has no boundary"), ("multipart/form-data; boundary=", "has no boundary"),
        ('multipart/form-data; boundary=""', "has no boundary"),
        ("multipart/form-data; boundary=a; boundary=b", "two boundaries"),
        ("multipart/form-data; boundary=a; Boundary=a", "two boundaries"),
        (f"multipart/form-data; boundary=a{'; a=b' * 15}; boundary=b", "no boundary"),
        ("multipart/form-data; boundary=" + 71 * "x", "1 to 70"),
        ('multipart/form-data; boundary="ends with "', "1 to 70"),
        ('multipart/form-data; boundary="a\tb"', "1 to 70"), ("multipart/form-data; boundary=ä", "1 to 70"),
    )  # fmt: skip
    def test_is_missed(self, content_type, said):
        with pytest.raises(BadRequest, match=said) as refused:
            parse_boundary(content_type)
        assert refused.value.status == 400

    @given(st.text())
    def test_any_content_type_has_one_that_can_be_used_or_is_a_bad_request(self, text):
        for content_type in (text, f"multipart/form-data; boundary={text}", f'multipart/form-data; boundary="{text}"'):
            with suppress(BadRequest):
                MultipartParser(parse_boundary(content_type))

    @rows("boundary", [b"", b"a\r\nb", b"\r", b"a ", 71 * b"x", b"\xe4"])
    def test_of_a_parser_is_one(self, boundary):
        with pytest.raises(ValueError, match="boundary"):
            MultipartParser(boundary)


READ = {
    "one field": (with_b(DISPOSITION) + END, [(b"a", None, b"x")]),
    "no line break at the end": (with_b(DISPOSITION) + b"--B--", [(b"a", None, b"x")]),
    "an epilogue": (with_b(DISPOSITION) + END + b"\r\n--B\r\nnothing", [(b"a", None, b"x")]),
    "an epilogue at once": (with_b(DISPOSITION) + b"--B--nothing", [(b"a", None, b"x")]),
    "a preamble": (b"nothing\n--b\r\n" + with_b(DISPOSITION) + END, [(b"a", None, b"x")]),
    "a line break first": (b"\r\n" + with_b(DISPOSITION) + END, [(b"a", None, b"x")]),
    "no parts": (END, []),
    "no parts after a line break": (b"\r\n" + END, []),
    "space after boundaries": (
        b"--B \t\r\n%b\r\n\r\nx\r\n--B\t\r\n%b\r\n\r\ny\r\n--B-- \r\n" % (DISPOSITION, DISPOSITION),
        [(b"a", None, b"x"), (b"a", None, b"y")],
    ),
    "no content": (with_b(DISPOSITION, b"") + END, [(b"a", None, b"")]),
    "content of a line break": (with_b(DISPOSITION, b"\r\n") + END, [(b"a", None, b"\r\n")]),
    "content that ends with CR": (with_b(DISPOSITION, b"\r\r") + END, [(b"a", None, b"\r\r")]),
    "lines that begin like a delimiter": (
        with_b(DISPOSITION, b"\r\n--Bx\r\n--B-\r\n--B\rx\r\n--\r\n-\r\n\n--B\r\r\n--b") + END,
        [(b"a", None, b"\r\n--Bx\r\n--B-\r\n--B\rx\r\n--\r\n-\r\n\n--B\r\r\n--b")],
    ),
    "a boundary after LF alone": (with_b(DISPOSITION, b"\n--B--") + END, [(b"a", None, b"\n--B--")]),
    "a part within a part": (
        with_b(b"Content-Type: multipart/mixed; boundary=C\r\n" + DISPOSITION, b"--C\r\n\r\nx\r\n--C--") + END,
        [(b"a", None, b"--C\r\n\r\nx\r\n--C--")],
    ),
    "other header fields": (
        with_b(b"Content-Length: 7\r\nX-Other: y\r\n" + DISPOSITION + b"\r\nContent-Transfer-Encoding: 8Bit") + END,
        [(b"a", None, b"x")],
    ),
    "folded header fields": (
        with_b(b'Content-Disposition: form-data;\r\n  name="a";\r\n\tfilename="b"') + END,
        [(b"a", b"b", b"x")],
    ),
    "header fields in other letters": (
        with_b(b'CONTENT-disposition:FORM-DATA;NAME=a;FileName="b"\r\ncontent-type :text/html ') + END,
        [(b"a", b"b", b"x")],
    ),
    "no name": (with_b(b"Content-Disposition: form-data") + END, [(None, None, b"x")]),
    "a file without a name": (with_b(b'Content-Disposition: form-data; filename="b"') + END, [(None, b"b", b"x")]),
    "no file chosen": (with_b(DISPOSITION + b'; filename=""') + END, [(b"a", b"", b"x")]),
    "another disposition": (with_b(b'Content-Disposition: attachment; name="a"') + END, [(b"a", None, b"x")]),
}

REFUSED = {
    "nothing": b"",
    "no delimiter": b"nothing\r\n",
    "another boundary": with_b(DISPOSITION).replace(b"--B", b"--C") + b"--C--\r\n",
    "no end": with_b(DISPOSITION),
    "an end without its last dash": with_b(DISPOSITION) + b"--B-",
    "an end without its line": with_b(DISPOSITION) + b"--B\r\n",
    "an end in a head": b"--B\r\n" + DISPOSITION,
    "a preamble without a line break": b"nothing" + with_b(DISPOSITION) + END,
    "a letter before the first line": b"x" + with_b(DISPOSITION) + END,
    "a preamble that ends with LF": b"nothing\n" + with_b(DISPOSITION) + END,
    "lines that end with LF": (with_b(DISPOSITION) + END).replace(b"\r\n", b"\n"),
    "lines that end with CR": (with_b(DISPOSITION) + END).replace(b"\r\n", b"\r"),
    "a first line that goes on": b"--Bx\r\n" + with_b(DISPOSITION) + END,
    "text after the space after a boundary": with_b(DISPOSITION).replace(b"--B", b"--B x") + END,
    "no content, nor its line break": b"--B\r\n" + DISPOSITION + b"\r\n\r\n" + END,
    "no header fields": b"--B\r\n\r\nx\r\n" + END,
    "no disposition": with_b(b"Content-Type: text/plain") + END,
    "two dispositions": with_b(DISPOSITION + b"\r\n" + DISPOSITION) + END,
    "two content types": with_b(DISPOSITION + b"\r\nContent-Type: a/b\r\ncontent-type: a/b") + END,
    "an empty disposition": with_b(b"Content-Disposition:") + END,
    "only parameters": with_b(b'Content-Disposition: name="a"') + END,
    "two names": with_b(DISPOSITION + b"; Name=a") + END,
    "two filenames": with_b(DISPOSITION + b'; filename="b"; filename="b"') + END,
    "an open quote": with_b(DISPOSITION[:-1]) + END,
    "a quote within quotes": with_b(DISPOSITION + b'; filename="a "b" c"') + END,
    "text after a quote": with_b(DISPOSITION + b"b") + END,
    "no colon": with_b(DISPOSITION + b"\r\nX-Other") + END,
    "no field name": with_b(DISPOSITION + b"\r\n: x") + END,
    "a field name that is none": with_b(DISPOSITION + b"\r\nX(y): x") + END,
    "a fold at the start": with_b(b" x: y\r\n" + DISPOSITION) + END,
    "LF in a head": with_b(DISPOSITION + b"\nX-Other: x") + END,
    "CR in a head": with_b(DISPOSITION + b"\r\nX-Other: x\ry") + END,
    "NUL in a name": with_b(b'Content-Disposition: form-data; name="a\0"') + END,
    "NUL in another field": with_b(DISPOSITION + b"\r\nX-Other: \0") + END,
    "content that is encoded": with_b(DISPOSITION + b"\r\nContent-Transfer-Encoding: base64") + END,
}


class TestForm:
    @rows("body, items", READ.values(), ids=READ)
    def test_is_read(self, body, items):
        assert [part.item for part in read([body], b"B")] == items

    @rows("body, items", READ.values(), ids=READ)
    def test_is_read_alike_in_chunks_of_any_size(self, body, items):
        whole = read([body], b"B")
        for size in range(1, len(body)):
            assert read(evenly(body, size), b"B") == whole

    @rows("body", REFUSED.values(), ids=REFUSED)
    def test_is_refused(self, body):
        with pytest.raises(BadRequest) as whole:
            read([body], b"B")
        for size in range(1, len(body)):
            with pytest.raises(BadRequest) as refused:
                read(evenly(body, size), b"B")
            assert str(refused.value) == str(whole.value)

    def test_that_lacks_its_end_says_what_it_lacks(self):
        with pytest.raises(BadRequest, match="no line with the boundary"):
            read([b"a=b&c=d"])
        with pytest.raises(BadRequest, match="cut off"):
            read([print_form([(b"a", None, None, b"x")])[:-4]])


class TestNames:
    @rows(
        "parameters, name, filename",
        (b'name="a"', b"a", None),
        (b'name="a"; filename="b.txt"', b"a", b"b.txt"),
        (b'filename="b.txt"; name="a"', b"a", b"b.txt"),
        (b"name=a; filename=b.txt", b"a", b"b.txt"),
        (b"name=a;filename=my file.txt ; x=y", b"a", b"my file.txt"),
        (b'name = "a" ;; filename\t=\t"b" ;', b"a", b"b"),
        (b'name="a"; x; filename="b"', b"a", b"b"),
        (b'name=""; filename=""', b"", b""),
        (b"name=; filename=", None, None),
        (b'name="na\xc3\xafve"; filename="\xe6\x97\xa5"', "naïve".encode(), "日".encode()),
        (b'name="\xe9"', b"\xe9", None),
        (b'name="a;b=c, d"; filename="; name=b"', b"a;b=c, d", b"; name=b"),
        # By browsers: %22 for a quote, and nothing else that could be undone safely.
        (b'name="%22a%22"; filename="%22.txt"', b'"a"', b'".txt'),
        (b'name="a%0D%0Ab"; filename="a%0Ab"', b"a%0D%0Ab", b"a%0Ab"),
        (b'name="100%"; filename="100%25.txt"', b"100%", b"100%25.txt"),
        # By other clients: backslashes.
        (rb'name="\"a\" \\ b"; filename="\"b\""', rb'"a" \ b', b'"b"'),
        (rb'name="a"; filename="b\"; filename=\"c"', b"a", b'b"; filename="c'),
        # Paths of old browsers.
        (rb'name="a"; filename="C:\new\file.txt"', b"a", rb"C:\new\file.txt"),
        (rb'name="a"; filename="C:\\new\\file.txt"', b"a", rb"C:\new\file.txt"),
        (rb'name="a"; filename="folder/b.txt"', b"a", b"folder/b.txt"),
        # Browsers write a backslash before the last quote as it is.
        (b'name="a\\"', b"a\\", None),
        (b'name="a\\"; filename="b\\"', b"a\\", b"b\\"),
        # RFC 7578 §4.2
        (b"name=\"a\"; filename*=UTF-8''b.txt", b"a", None),
        (b"name=\"a\"; filename*=UTF-8''c.txt; filename=\"b.txt\"; name*=UTF-8''d", b"a", b"b.txt"),
    )
    def test_are_read(self, parameters, name, filename):
        [part] = read([print_part(b"Content-Disposition: form-data; " + parameters, b"x") + b"--%b--" % BOUNDARY])
        assert (part.head.name, part.head.filename) == (name, filename)


class TestHead:
    def test_has_all_header_fields_in_their_order(self):
        fields = DISPOSITION + b"\r\nX-Two:  b \r\nContent-Type: Text/HTML; charset=utf-8 \r\nx-Two: \xff\r\n y"
        [part] = read([with_b(fields) + END], b"B")
        assert part.head.content_type == "Text/HTML; charset=utf-8"
        assert part.head.section == fields
        assert part.head.fields == (
            (b"content-disposition", b'form-data; name="a"'),
            (b"x-two", b"b"),
            (b"content-type", b"Text/HTML; charset=utf-8"),
            (b"x-two", b"\xff y"),
        )

    @rows(
        "written, content_type",
        (b"\r\nContent-Type: text/plain", "text/plain"), (b"\r\nContent-Type:text/plain \t", "text/plain"),
        (b"\r\nContent-Type: a\xe4b", "aäb"), (b"\r\nContent-Type: ", None), (b"", None),
    )  # fmt: skip
    def test_has_a_content_type_or_none(self, written, content_type):
        [part] = read([with_b(DISPOSITION + written) + END], b"B")
        assert part.head.content_type == content_type

    def test_written_as_browsers_do_it_equals_the_same_one_written_otherwise(self):
        usual = DISPOSITION + b'; filename="b"\r\nContent-Type: text/plain'
        parts = read([with_b(usual) + with_b(usual.replace(b": ", b":  ")) + END], b"B")
        first, second = (part.head[:3] for part in parts)
        assert first == second == (b"a", b"b", "text/plain")


class TestEvents:
    def test_say_where_in_the_body_a_part_is(self):
        body = print_form([(b"a", None, None, b"first"), (b"b", b"", None, b""), (b"c", b"c", b"a/b", b"third\r\n")])
        parser = MultipartParser(BOUNDARY)
        events = [event for chunk in evenly(body, 64) for event in parser.feed(chunk)]
        offsets = [event.offset for event in events if isinstance(event, PartHead)]
        ends = [event.part_end for event in events if isinstance(event, PartData) and event.part_end is not None]
        assert [body[start:end] for start, end in zip(offsets, ends, strict=True)] == [b"first", b"", b"third\r\n"]

    def test_copy_nothing_of_a_chunk_that_is_all_content(self):
        parser = MultipartParser(b"B")
        parser.feed(b"--B\r\n" + DISPOSITION + b"\r\n\r\n")
        chunk = bytes(1 << 16)
        [event] = parser.feed(chunk)
        assert event == PartData(0, len(chunk), None, b"")
        assert event.of(chunk) is chunk

    def test_hold_back_what_could_be_the_beginning_of_a_delimiter_and_give_it_when_it_is_none(self):
        parser = MultipartParser(b"B")
        parser.feed(b"--B\r\n" + DISPOSITION + b"\r\n\r\n")
        assert parser.feed(b"one\r\n-") == [PartData(0, 3, None, b"")]
        assert parser.feed(b"-") == []
        [event] = parser.feed(b"two")
        assert (event, event.of(b"two")) == (PartData(0, 3, None, b"\r\n--"), b"\r\n--two")
        assert parser.feed(b"\r\n--B") == []
        assert parser.feed(b"--") == [PartData(0, 0, len(b"--B\r\n\r\n\r\none\r\n--two" + DISPOSITION), b"")]
        parser.finish()


names = st.binary(max_size=20).map(lambda raw: raw.translate(None, b'"\\%\r\n\0'))
delimiters = [b"\r\n--" + BOUNDARY, b"--" + BOUNDARY + b"--", b"\r\n--", b"\r", b"\n", b"\r\n", b"-", BOUNDARY, b"x"]
contents = st.lists(st.sampled_from(delimiters) | st.binary(max_size=10), max_size=8).map(
    # A line that begins with the boundary, and has nothing after it that says otherwise, would end the part.
    lambda chunks: b"".join(chunks).replace(b"--" + BOUNDARY, b"--" + BOUNDARY[:-1])
)
types = st.none() | st.sampled_from([b"text/plain", b"image/png", b"text/plain; charset=utf-8"])
forms = st.lists(st.tuples(names, st.none() | names, types, contents), max_size=5)
places = st.lists(st.integers(0, 2000), max_size=30)
BITS = b'--B|\r\n--B|\r\n|\r|\n|--|-| |\t|:|;|"|\\|=|\0|x|\xff|name|filename=|Content-Type|Content-Transfer-Encoding: '
tokens = st.sampled_from([DISPOSITION, *BITS.split(b"|")])
surroundings = st.sampled_from([b"", b"\r\n", b"nothing\r\n", b"--\r\n\r\n"])


class TestAnyForm:
    @given(forms, places, surroundings, surroundings)
    def test_is_found_again_however_it_is_cut(self, form, places, before, after):
        body = before + print_form(form) + after
        found = read(cut(body, places))
        assert [part.item for part in found] == [(name, filename, content) for name, filename, _, content in form]
        assert [body[part.head.offset : part.end] for part in found] == [content for *_, content in form]
        given_types = [None if written is None else written.decode() for _, _, written, _ in form]
        assert [part.head.content_type for part in found] == given_types
        assert found == read([body])

    @given(
        st.lists(tokens, max_size=40), st.sampled_from([b"", b"--B\r\n", b"--B\r\n" + DISPOSITION + b"\r\n"]), places
    )
    def test_of_chunks_of_one_is_read_or_refused_alike_however_it_is_cut(self, tokens, begin, places):
        body = begin + b"".join(tokens)

        def outcome(chunks):
            try:
                return read(chunks, b"B", parts=5, head=HeadLimits(200, 5, 20), outside=30)
            except HTTPError as error:
                return str(error)

        whole = outcome([body])
        assert outcome(cut(body, places)) == whole
        assert outcome(evenly(body, 1)) == whole

    @given(st.lists(tokens, max_size=40))
    def test_after_whole_parts_is_read_or_refused(self, tokens):
        body = with_b(DISPOSITION) + b"--B\r\n" + DISPOSITION + b"\r\n\r\n" + b"".join(tokens) + b"\r\n" + END
        try:
            found = read([body], b"B")
        except HTTPError:
            return
        assert found[0].content == b"x"
        for part in found:
            assert b"\r\n--B\r\n" not in part.content
            assert b"\r\n--B--" not in part.content
