import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.features.codings import CODINGS
from tests.helpers.decompression import INSTALLED, Reader, decompressed

LEVELS = [
    pytest.param(param.values[0], level, marks=param.marks)
    for param in INSTALLED
    for level in (CODINGS[param.values[0]].levels[0], CODINGS[param.values[0]].levels[-1])
]


def start(name, level=None):
    coding = CODINGS[name]
    return coding.start(coding.usual_level if level is None else level)


@pytest.mark.parametrize("name", INSTALLED)
class TestACompressor:
    @given(chunks=st.lists(st.binary(max_size=3000), max_size=6), rest=st.binary())
    def test_loses_nothing(self, name, chunks, rest):
        compressor = start(name)
        sent = [compressor.chunk(chunk) for chunk in chunks] + [compressor.finish(rest)]
        assert decompressed(name, b"".join(sent)) == b"".join([*chunks, rest])

    @given(chunks=st.lists(st.binary(min_size=1, max_size=3000), max_size=6))
    def test_holds_no_chunk_back(self, name, chunks):
        compressor, reader = start(name), Reader(name)
        for chunk in chunks:
            assert reader.read(compressor.chunk(chunk)) == chunk
        assert not reader.is_whole
        assert reader.read(compressor.finish()) == b""
        assert reader.is_whole

    def test_makes_less_of_what_repeats(self, name):
        assert len(start(name).finish(b"antiphon " * 1000)) < 200


@pytest.mark.parametrize(("name", "level"), LEVELS)
def test_every_level_can_be_read_with_the_memory_that_clients_have(name, level):
    body = random.Random(1).randbytes(1 << 16) + bytes(1 << 16)
    compressor = start(name, level)
    sent = b"".join([compressor.chunk(body[: 1 << 16]), compressor.finish(body[1 << 16 :])])
    assert decompressed(name, sent) == body


@pytest.mark.parametrize("name", INSTALLED)
def test_a_level_is_heard(name):
    body = b" ".join([str(number * number).encode() for number in range(2_000)])
    levels = CODINGS[name].levels
    assert len(start(name, levels[-1]).finish(body)) < len(start(name, levels[0]).finish(body))
