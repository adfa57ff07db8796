"""Forms in parts as events, beside those of Werkzeug."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import Headers as OriginalHeaders
from werkzeug.sansio import multipart as original

from antiphon.dialects.werkzeug.datastructures import Headers
from antiphon.dialects.werkzeug.exceptions import RequestEntityTooLarge
from antiphon.dialects.werkzeug.sansio import multipart
from tests.dialects.werkzeug.environs import part, parts
from tests.dialects.werkzeug.in_step import outcome, same
from tests.helpers.rows import rows

FORM = parts(
    part("J\u00f6rg\r\n-".encode()),
    part(b"", 'form-data; name="\u00fc"; filename="a b.txt"', "Content-Type: text/plain; a=b", "X-Own: \u00fc"),
    part(b"\r\n--betwee" * 3, "form-data; name=c; filename*=UTF-8''%e2%82%ac", "Content-Type: a/b"),
    part(b"x", "form-data"),
)


def decoded(library, data, sizes, **bounds):
    """The events of a form that is received in chunks of these sizes, with the contents of each part in one."""
    decoder = library.MultipartDecoder(b"between", **bounds)
    seen = []
    position = 0
    for size in [*sizes, len(data)]:
        chunk, position = data[position : position + size], position + size
        if chunk:
            decoder.receive_data(chunk)
            seen += until_more_is_needed(library, decoder)
    decoder.receive_data(None)
    return seen + until_more_is_needed(library, decoder)


def until_more_is_needed(library, decoder):
    seen = []
    while not isinstance(event := decoder.next_event(), library.NeedData):
        seen.append(event)
        if isinstance(event, library.Epilogue):
            break
    return seen


def told(events):
    """What events tell, however the contents are cut."""
    parts, ends = [], []
    for event in events:
        kind = type(event).__name__
        if kind in ("Field", "File"):
            parts.append([kind, event.name, getattr(event, "filename", None), list(event.headers), b"", True])
        elif kind == "Data":
            assert parts[-1][-1], "content after its end"
            parts[-1][-2:] = parts[-1][-2] + event.data, event.more_data
        else:
            ends.append(kind)
    return parts, ends


@given(st.lists(st.integers(1, 40)))
def test_a_form_gives_the_events_of_the_original_however_it_is_cut(sizes):
    assert told(decoded(multipart, FORM, sizes)) == told(decoded(original, FORM, []))  # cuts may add a CR there


@rows(
    "data",
        b"", b"--between--\r\n", b"--between--", FORM[:-20], b"no form", parts(b"--between\r\n\r\nno name\r\n"),
        b"before\r\n" + FORM, FORM + b"after",
    ids=lambda data: str(data[:20]),
)  # fmt: skip
def test_an_odd_form_is_read_or_refused_as_by_the_original(data):
    same(outcome(lambda: told(decoded(original, data, []))), outcome(lambda: told(decoded(multipart, data, []))))


@rows("bounds", [{"max_parts": 3}, {"max_parts": 4}, {"max_form_memory_size": 10}, {}], ids=str)
def test_bounds(bounds):
    same(
        outcome(lambda: told(decoded(original, FORM, [], **bounds))),
        outcome(lambda: told(decoded(multipart, FORM, [], **bounds))),
    )


def test_what_was_asked_for_counts_no_more_in_memory():
    decoder = multipart.MultipartDecoder(b"between", 200)
    head = part(b"")[:-2]
    for chunk in (head, bytes(150), bytes(150)):
        decoder.receive_data(chunk)
        until_more_is_needed(multipart, decoder)
    decoder.receive_data(bytes(150))
    with pytest.raises(RequestEntityTooLarge):
        decoder.receive_data(bytes(150))


def test_an_error_comes_after_the_events_before_it():
    decoder = multipart.MultipartDecoder(b"between")
    decoder.receive_data(part(b"x") + b"--between\r\n")
    decoder.receive_data(b"Content-Disposition: ;\r\n\r\n")
    decoder.receive_data(b"--between--")
    kinds = [type(decoder.next_event()).__name__ for _ in range(3)]
    assert kinds == ["Preamble", "Field", "Data"]
    for _ in range(2):
        with pytest.raises(ValueError, match="Content-Disposition"):
            decoder.next_event()


@rows(
    "steps",
        "preamble field data data epilogue", "field data file data more field data epilogue", "epilogue",
        "field field", "data", "preamble preamble", "file data epilogue data",
)  # fmt: skip
def test_a_form_is_written_as_by_the_original(steps):
    def written(library, headers):
        named = {
            "preamble": library.Preamble(b"before"),
            "field": library.Field("\u00fc", headers({"X-A": "b", "Content-Disposition": "x"})),
            "file": library.File("f", "a \u20ac.txt", headers({"Content-Type": "a/b"})),
            "data": library.Data(b"content", more_data=False),
            "more": library.Data(b"more", more_data=True),
            "epilogue": library.Epilogue(b"after"),
        }
        encoder = library.MultipartEncoder(b"between")
        return b"".join([encoder.send_event(named[step]) for step in steps.split()])

    same(outcome(written, original, OriginalHeaders), outcome(written, multipart, Headers))
