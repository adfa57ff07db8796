import pytest

from antiphon import Limits, Request
from antiphon.body.stream import Progress
from antiphon.http.errors import BadRequest, HTTPError
from antiphon.http.head import RequestHead
from tests.helpers.driving import drive
from tests.helpers.rows import rows


class Chunks(RequestHead):
    """A head whose body comes in chunks."""

    def __init__(self, chunks, length=None):
        super().__init__("POST", "/", headers=() if length is None else {"content-length": length})
        self._chunks = iter(chunks)

    has_body = True

    async def receive(self):
        return next(self._chunks, b"")


@rows(
    "progress, fraction",
    (Progress(0, 4), 0.0), (Progress(1, 4), 0.25), (Progress(4, 4, True), 1.0), (Progress(5, 4), 1.0),
    (Progress(1, None), None), (Progress(1, None, True), 1.0), (Progress(0, 0), None), (Progress(0, 0, True), 1.0),
)  # fmt: skip
def test_the_fraction_is_known_from_the_total_or_at_the_end(progress, fraction):
    assert progress.fraction == fraction


@rows("length", ["8", None])
def test_a_body_has_come_as_far_as_its_chunks(length):
    content = Request(Chunks([b"abcd", b"efgh"], length)).content
    total = length and int(length)
    found = [Progress.of(content)]
    for _ in range(3):
        drive(content.advance(Limits()))
        found.append(Progress.of(content))
    whole = Progress(8, total, True)
    between = whole if length else Progress(8, total)
    assert found == [Progress(0, total), Progress(4, total), between, whole]


def test_a_body_that_is_there_is_complete():
    assert Progress.of(Request(RequestHead("POST"), b"abcd").content) == Progress(4, None, True)


@rows("chunks, length", [([b"abcd"], "8"), ([b"abcdefgh"], "4"), ([b"abcd"], "four")])
def test_a_body_that_failed_is_not_complete(chunks, length):
    content = Request(Chunks(chunks, length)).content
    with pytest.raises(HTTPError):
        drive(content.load(Limits()))
    drive(content.discard())
    assert not Progress.of(content).is_complete


def test_a_body_that_is_given_up_is_not_complete():
    content = Request(Chunks([b"abcd"], "8")).content
    drive(content.discard())
    assert Progress.of(content) == Progress(4, 8)


def test_a_total_that_is_malformed_is_none():
    content = Request(Chunks([], "four")).content
    with pytest.raises(BadRequest):
        _ = content.length
    assert Progress.of(content) == Progress(0, None)
