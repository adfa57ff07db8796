import random
import subprocess
import sys
import tracemalloc
import zlib
from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.body.codings import CHUNK_SIZE, DECOMPRESSIONS, ZSTD, accepted_codings, content_decoder
from antiphon.features.codings import CODINGS
from antiphon.http.errors import BadRequest, ContentTooLarge, UnsupportedMediaType
from tests.helpers.rows import rows

NAMES = [
    pytest.param(name, marks=pytest.mark.skipif(not known.is_installed, reason=f"{known.library} is not installed"))
    for name, known in DECOMPRESSIONS.items()
]
WITH_MEMBERS = [param for param in NAMES if DECOMPRESSIONS[param.values[0]].has_members]
MIB = 1 << 20


def coded(data, *codings):
    for name in codings:
        if name == "deflate":
            data = zlib.compress(data)
        elif name == "bare deflate":
            data = zlib.compress(data, wbits=-15)
        else:
            data = CODINGS[name.removeprefix("x-")].start(4).finish(data)
    return data


def decoded(field, *chunks, limit=64 * MIB):
    decoder = content_decoder(field)
    body = b"".join([chunk for data in chunks for chunk in decoder.feed(data, limit)])
    decoder.finish()
    return body


def bytewise(data):
    return [data[at : at + 1] for at in range(len(data))]


TEXT = b"\n".join([b"antiphon %d" % number for number in range(200)])


@pytest.mark.parametrize("name", NAMES)
class TestACoding:
    @given(data=st.binary(max_size=3000) | st.binary(max_size=9).map(lambda data: data * 50_000), cuts=st.data())
    def test_is_undone_however_the_body_is_cut(self, name, data, cuts):
        whole = coded(data, name)
        at = sorted(cuts.draw(st.lists(st.integers(0, len(whole)), max_size=5)))
        chunks = [whole[start:stop] for start, stop in zip([0, *at], [*at, len(whole)], strict=True)]
        assert decoded(name, *chunks) == data

    def test_is_undone_byte_by_byte(self, name):
        assert decoded(name, *bytewise(coded(TEXT, name))) == TEXT

    def test_is_undone_at_sizes_about_that_of_a_chunk(self, name):
        for size in (CHUNK_SIZE - 1, CHUNK_SIZE, CHUNK_SIZE + 1, 3 * CHUNK_SIZE):
            for data in (bytes(size), random.Random(size).randbytes(size)):
                assert decoded(name, coded(data, name)) == data

    def test_that_is_cut_off_is_a_bad_request(self, name):
        whole = coded(TEXT, name)
        for end in range(1, len(whole)):
            with pytest.raises(BadRequest, match=f"its {name} ends before it is complete"):
                decoded(name, whole[:end])

    def test_of_nothing_is_nothing(self, name):
        assert decoded(name) == b""
        assert decoded(name, b"") == b""

    @given(data=st.binary(min_size=1))
    def test_that_is_none_is_a_bad_request(self, name, data):
        with pytest.raises(BadRequest, match="The body can't be decoded: it"):
            decoded(name, b"\xfe\xfe" + data, b"\xfe" * 300)

    @given(st.data())
    def test_that_was_damaged_is_a_bad_request_or_other_data(self, name, data):
        whole = bytearray(coded(TEXT, name))
        for at in data.draw(st.lists(st.integers(0, len(whole) - 1), min_size=1, max_size=4)):
            whole[at] ^= data.draw(st.integers(1, 255))
        try:
            body = decoded(name, bytes(whole), limit=MIB)
        except (BadRequest, ContentTooLarge):
            return
        assert isinstance(body, bytes)

    @rows("tail", [b"\0", b"\0" * 10, b"x", b"\x1f", TEXT])
    def test_with_more_after_its_end_is_a_bad_request(self, name, tail):
        whole = coded(TEXT, name)
        for chunks in ([whole + tail], [whole, tail], bytewise(whole + tail)):
            with pytest.raises(BadRequest, match=r"The body can't be decoded: its? "):
                decoded(name, *chunks)

    def test_that_expands_is_refused_at_the_limit_having_taken_little_memory(self, name):
        bomb = bomb_of(name)
        decoder = content_decoder(name)
        tracemalloc.start()
        try:
            before = tracemalloc.get_traced_memory()[0]
            with pytest.raises(ContentTooLarge) as caught:
                deque(decoder.feed(bomb, 8 * MIB), maxlen=0)
            taken = tracemalloc.get_traced_memory()[1] - before
        finally:
            tracemalloc.stop()
        assert taken < 4 * MIB
        assert caught.value.members == {"limit": "body", "maximum": 8 * MIB}
        assert "longer than the 8388608 bytes" in caught.value.detail

    def test_gives_small_chunks_and_never_more_than_the_limit(self, name):
        sizes = []
        with pytest.raises(ContentTooLarge):
            sizes.extend(map(len, content_decoder(name).feed(bomb_of(name), MIB)))
        assert max(sizes) <= CHUNK_SIZE * 3 // 2
        assert sum(sizes) <= MIB

    def test_up_to_the_limit_is_accepted(self, name):
        data = bytes(100_000)
        assert decoded(name, coded(data, name), limit=100_000) == data
        with pytest.raises(ContentTooLarge):
            decoded(name, coded(data, name), limit=99_999)


def bomb_of(name):
    """64 MiB of zeros."""
    return coded(bytes(64 * MIB), name)


@pytest.mark.parametrize("name", WITH_MEMBERS)
class TestSeveralMembers:
    @given(parts=st.lists(st.binary(max_size=100), min_size=1, max_size=20), size=st.integers(1, 300))
    def test_are_one_body(self, name, parts, size):
        whole = b"".join([coded(part, name) for part in parts])
        chunks = [whole[at : at + size] for at in range(0, len(whole), size)]
        assert decoded(name, *chunks) == b"".join(parts)

    def test_of_which_the_last_is_cut_off_are_a_bad_request(self, name):
        with pytest.raises(BadRequest, match="before it is complete"):
            decoded(name, coded(b"a", name) + coded(b"b", name)[:-1])

    def test_are_as_many_as_the_body_is_large(self, name):
        kibibyte = bytes(1024)
        assert decoded(name, coded(kibibyte, name) * 2000) == kibibyte * 2000
        with pytest.raises(BadRequest, match="in too many parts"):
            decoded(name, coded(b"", name) * 2000)
        with pytest.raises(BadRequest, match="in too many parts"):
            decoded(name, coded(b"a", name) * 2000)


def test_a_bare_deflate_is_read_too():
    assert decoded("deflate", coded(TEXT, "bare deflate")) == TEXT
    assert decoded("deflate", *bytewise(coded(b"", "bare deflate"))) == b""


def test_a_deflate_that_wants_a_dictionary_is_a_bad_request():
    compressor = zlib.compressobj(zdict=TEXT)
    with pytest.raises(BadRequest, match="it is not valid deflate"):
        decoded("deflate", compressor.compress(TEXT) + compressor.flush())


def zstd_with(**parameters):
    zstd = pytest.importorskip(ZSTD)
    options = {zstd.CompressionParameter[name]: value for name, value in parameters.items()}
    compressor = zstd.ZstdCompressor(options=options)
    noise = random.Random(1).randbytes(1 << 16)
    return b"".join([compressor.compress(noise) for _ in range(20)]) + compressor.flush()


def test_a_zstd_frame_reaches_back_no_further_than_8_mib():
    assert len(decoded("zstd", zstd_with(window_log=23))) == 20 << 16
    with pytest.raises(BadRequest, match="it is not valid zstd"):
        decoded("zstd", zstd_with(window_log=24))


def test_skippable_zstd_frames_are_skipped():
    pytest.importorskip(ZSTD)
    skipped = b"\x50\x2a\x4d\x18\x03\0\0\0abc"
    assert decoded("zstd", skipped + coded(TEXT, "zstd") + skipped) == TEXT


@rows(
    "field, codings",
    ("gzip, deflate", ("gzip", "deflate")),
    ("deflate,gzip,\tgzip", ("deflate", "gzip", "gzip")),
    ("X-GZip", ("gzip",)),
    ("identity, gzip, , identity", ("gzip",)),
)
def test_codings_are_undone_last_first(field, codings):
    for chunks in ([coded(TEXT, *codings)], bytewise(coded(TEXT, *codings))):
        assert decoded(field, *chunks) == TEXT


@given(codings=st.lists(st.sampled_from(["gzip", "deflate"]), min_size=1, max_size=3), data=st.binary())
def test_any_codings_are_undone(codings, data):
    assert decoded(", ".join(codings), coded(data, *codings), limit=len(data)) == data


def test_a_bomb_within_a_bomb_is_refused_though_it_stands_for_little():
    members = coded(b"", "gzip") * (4 * MIB // 20)
    with pytest.raises((BadRequest, ContentTooLarge)):
        decoded("gzip, gzip", coded(members, "gzip"), limit=MIB)
    header, empty_block = coded(b"", "gzip")[:10], b"\0\0\0\xff\xff"
    empty = header + empty_block * MIB
    with pytest.raises(ContentTooLarge, match=f"longer than the {MIB} bytes"):
        decoded("gzip, gzip", coded(empty, "gzip"), limit=MIB)


@rows("field", [None, "", "identity", " , Identity,"])
def test_without_a_coding_there_is_nothing_to_undo(field):
    assert content_decoder(field) is None


@rows(
    "field",
        "compress", "aes128gcm", "gzip, unknown", "gzip;q=1", "gzip br", "*", "gzip, gzip, gzip, gzip",
        "," * 100_000 + "gzip", "gzip\x00", "ﬁ",
    ids=ascii,
)  # fmt: skip
def test_other_codings_are_unsupported_and_the_answer_says_which_are_not(field):
    with pytest.raises(UnsupportedMediaType) as caught:
        content_decoder(field)
    assert caught.value.headers["accept-encoding"] == ", ".join(accepted_codings())
    assert len(caught.value.detail) < 300


def test_gzip_and_deflate_are_always_accepted():
    assert {"gzip", "deflate"} <= set(accepted_codings()) <= set(DECOMPRESSIONS)


MISSING = """
import sys
sys.modules["brotli"] = sys.modules["compression.zstd"] = sys.modules["backports.zstd"] = None
from antiphon.body.codings import accepted_codings, content_decoder
assert accepted_codings() == ("gzip", "deflate")
assert content_decoder("gzip") and content_decoder("deflate")
try:
    content_decoder("br")
except Exception as error:
    assert error.status == 415, error
    assert error.headers["accept-encoding"] == "gzip, deflate"
else:
    raise AssertionError
"""


@pytest.mark.processes
def test_a_coding_whose_library_is_missing_is_unsupported():
    subprocess.run([sys.executable, "-c", MISSING], check=True, timeout=60)
