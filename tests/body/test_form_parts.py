import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon import Limits, Request
from antiphon.http.errors import BadRequest, ContentTooLarge, UnsupportedMediaType
from antiphon.http.media_type import MediaType
from tests.body.forms_in_parts import BOUNDARY, cut, evenly, print_form
from tests.helpers.rows import rows
from tests.helpers.scripted_heads import ScriptedHead

pytestmark = pytest.mark.once

CONTENT_TYPE = f"multipart/form-data; boundary={BOUNDARY.decode()}"
LARGE = bytes(range(256)) * 1000
PARTS = [
    (b"title", None, None, b"Tea"),
    (b"photo", b"a.png", b"image/png", LARGE),
    (b"empty", b"", None, b""),
    (b"note", None, None, b"last"),
]
FORM = print_form(PARTS)
ITEMS = [("title", None, b"Tea"), ("photo", "a.png", LARGE), ("empty", "", b""), ("note", None, b"last")]


def request_of(chunks, *, blocks=False, waits=False, kept=True, content_type=CONTENT_TYPE, **limits):
    request = Request(ScriptedHead(*chunks, blocks=blocks, waits=waits, content_type=content_type))
    request.content.is_kept = kept
    request.limits = Limits(**limits)
    return request


def items(request):
    return [(part.name, part.filename, part.read()) for part in request.parts()]


async def aitems(request):
    return [(part.name, part.filename, await part.aread()) async for part in request.parts()]


def all_of(request):
    return items(request) if request.head.blocks else asyncio.run(aitems(request))


both_ways = pytest.mark.parametrize("blocks", [True, False], ids=["for", "async for"])


@both_ways
class TestParts:
    @rows("size", [60, 1000, 64 << 10, 4 << 20])
    @rows("kept", [True, False], ids=["kept", "not kept"])
    def test_are_those_of_the_form(self, blocks, size, kept):
        assert all_of(request_of(evenly(FORM, size), blocks=blocks, kept=kept)) == ITEMS

    def test_say_what_is_said_of_them(self, blocks):
        request = request_of([FORM], blocks=blocks)

        async def heads():
            return [part async for part in request.parts()]

        title, photo, *_ = [*request.parts()] if blocks else asyncio.run(heads())
        assert (title.content_type, photo.content_type) == (None, MediaType("image", "png"))
        assert photo.headers["content-type"] == "image/png"
        assert repr(photo) == "<FormPart name='photo' filename='a.png'>"

    def test_can_be_passed_over(self, blocks):
        request = request_of(evenly(FORM, 1000), blocks=blocks)

        async def last():
            return [await part.aread() async for part in request.parts() if part.name == "note"]

        if blocks:
            assert [part.read() for part in request.parts() if part.name == "note"] == [b"last"]
        else:
            assert asyncio.run(last()) == [b"last"]

    def test_can_be_left_in_the_middle(self, blocks):
        request = request_of(evenly(FORM, 1000), blocks=blocks)

        async def first_chunks():
            found = []
            async for part in request.parts():
                async for chunk in part:
                    found.append(chunk[:2])
                    break
            return found

        if blocks:
            found = [next(iter(part), b"")[:2] for part in request.parts()]
            assert found == [b"Te", b"\0\1", b"", b"la"]
        else:
            assert asyncio.run(first_chunks()) == [b"Te", b"\0\1", b"la"]

    def test_that_are_read_late_have_nothing_left(self, blocks):
        request = request_of(evenly(FORM, 1000), blocks=blocks)

        async def late():
            return [await part.aread() for part in [part async for part in request.parts()]]

        assert ([part.read() for part in [*request.parts()]] if blocks else asyncio.run(late())) == [b""] * 4

    def test_of_a_body_that_is_not_kept_are_gone_then(self, blocks):
        request = request_of(evenly(FORM, 1000), blocks=blocks, kept=False)
        all_of(request)
        with pytest.raises(RuntimeError, match="read the whole body before"):
            all_of(request)

    @rows("end", [0, 10, 100, 5000, len(FORM) - len(BOUNDARY)])
    def test_of_a_form_that_is_cut_off_end_with_a_400(self, blocks, end):
        request = request_of(evenly(FORM[:end], 1000), blocks=blocks)
        for _ in range(2):
            with pytest.raises(BadRequest):
                all_of(request)

    @rows("limit, most", [("parts", 3), ("fields", 1), ("files", 1), ("file", 1000), ("form", 6)])
    def test_are_within_limits(self, blocks, limit, most):
        with pytest.raises(ContentTooLarge) as refused:
            all_of(request_of(evenly(FORM, 1000), blocks=blocks, kept=False, **{limit: most}))
        assert refused.value.members == {"limit": limit, "maximum": most}

    @rows("kept", [True, False], ids=["kept", "not kept"])
    def test_fail_again_in_the_same_way(self, blocks, kept):
        parts = request_of([FORM, b"x" * 9000], blocks=blocks, kept=kept, files=1).parts()

        async def read():
            return [part async for part in parts]

        seen = []
        for _ in range(2):
            with pytest.raises(ContentTooLarge) as refused:
                [*parts] if blocks else asyncio.run(read())
            seen.append(repr(refused.value))
        assert seen[0] == seen[1]

    @rows("content_type", ["text/plain", "", "application/x-www-form-urlencoded"])
    def test_of_another_body_are_a_415(self, blocks, content_type):
        with pytest.raises(UnsupportedMediaType, match="must be multipart/form-data"):
            request_of([FORM], blocks=blocks, content_type=content_type).parts()

    def test_of_a_form_without_a_boundary_are_a_400(self, blocks):
        with pytest.raises(BadRequest, match="boundary"):
            request_of([FORM], blocks=blocks, content_type="multipart/form-data").parts()


def test_nothing_is_received_before_it_is_asked_for():
    request = request_of(evenly(FORM, 1000), blocks=True, kept=False)
    head = request.head
    parts = iter(request.parts())
    assert head.asked == 0
    assert next(parts).read() == b"Tea"
    assert head.asked == 1
    photo = iter(next(parts))
    assert head.asked == 1
    sizes = [len(next(photo)) for _ in range(5)]
    assert head.asked == 5
    assert max(sizes) <= 1000


def test_nothing_is_received_before_it_is_asked_for_on_a_loop():
    async def read(request):
        asked = [request.head.asked]
        async for part in request.parts():
            asked.append(request.head.asked)
            if part.filename:
                chunks = aiter(part)
                for _ in range(5):
                    await anext(chunks)
                    asked.append(request.head.asked)
                return asked
        return asked

    assert asyncio.run(read(request_of(evenly(FORM, 1000), waits=True, kept=False))) == [0, 1, 1, 1, 2, 3, 4, 5]


def test_on_a_loop_it_has_to_be_async_for():
    async def read(request):
        with pytest.raises(RuntimeError, match=r"await request\.aload\(\)"):
            items(request)

    asyncio.run(read(request_of([FORM])))


@given(st.lists(st.integers(0, 400), max_size=9), st.booleans(), st.booleans())
def test_are_the_same_wherever_the_form_is_cut(places, blocks, kept):
    parts = [
        (b"a", None, None, b"--\r\n-"),
        (b"f", b"x", b"text/plain", b"\r\n--" + BOUNDARY[:-1]),
        (b"", None, None, b""),
    ]
    form = print_form(parts)
    expected = [("a", None, b"--\r\n-"), ("f", "x", b"\r\n--" + BOUNDARY[:-1]), ("", None, b"")]
    chunks = [chunk for chunk in cut(form, places) if chunk]
    assert all_of(request_of(chunks, blocks=blocks, kept=kept)) == expected
